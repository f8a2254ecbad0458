/**
 * Something that a source has left on its server, and that sessions of the same server alone can see: whatever addresses
 * two endpoints name, and however alike two servers are.
 */
export interface ServerMark {
  /** Of which kind of database: no other looks for it. */
  readonly kind: string;
  readonly text: string;
}
