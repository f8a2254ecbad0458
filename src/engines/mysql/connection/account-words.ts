/**
 * An account for a statement that somebody is to run, and how its host is known. An error of the server names the
 * machine that the session comes from, not the account that it was let in by.
 */
export function forAccount(statement: (account: string) => string, user: string): string {
  const account = `'${user.replaceAll("'", "''")}'@'...'`;
  return `${statement(account)}; the host is the one that select current_user() shows to ${user}.`;
}
