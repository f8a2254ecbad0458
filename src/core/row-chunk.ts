/**
 * A piece of one partition's rows in a bulk format that source and target share. Nothing is decoded:
 * the bytes are most often the very buffer that came off the socket. A chunk may end inside a row,
 * so a row of any size passes through bounded memory; `rows` counts the rows that end in this chunk.
 */
export interface RowChunk {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /**
   * Whoever has no more use for the bytes may say so: they are written over from then on. Buffers that nobody gives back
   * are left to the collector, which walks the whole heap for every 64 MB of them.
   */
  readonly release?: () => void;
}

/**
 * "pg-copy-binary" and "pg-copy-text" are the CopyData frames of PostgreSQL's protocol, headers
 * included; they are the same in both directions (protocol manual, "COPY Operations"). Every engine reads and
 * writes "pg-copy-text", with values in the text form of their logical type that all engines share
 * (docs/decisions/021).
 */
export type BulkFormat = "pg-copy-binary" | "pg-copy-text";
