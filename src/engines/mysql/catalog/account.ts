import { literal } from "./identifier.ts";

/** What CURRENT_USER() tells, of which the host comes last, in parts. */
export function accountParts(account: string): { readonly user: string; readonly host: string } {
  const at = account.lastIndexOf("@");
  return { user: account.slice(0, at), host: account.slice(at + 1) };
}

/** The same as GRANT writes it: 'app'@'%'. */
export function accountSql(account: string): string {
  const { user, host } = accountParts(account);
  return `${literal(user)}@${literal(host)}`;
}
