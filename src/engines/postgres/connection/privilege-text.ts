import { type ErrorContext, namedSide } from "../../shared/connection/error-context.ts";
import { identifier, qualified } from "../../shared/identifier.ts";

/** What a privilege error is about, as the server's text names it: `table orders`. English texts only. */
export function objectOf(text: string): string | undefined {
  return /^(?:permission denied for|must be owner of) (.+)$/.exec(text)?.[1];
}

/** The first name between double quotes. */
export function quotedName(text: string): string | undefined {
  return /"([^"]+)"/.exec(text)?.[1];
}

/** The grants for the table at work, or undefined when the context lacks table or user. */
export function privilegeRemedy(context: ErrorContext, privileges: string): string | undefined {
  const { table, endpoint } = context;
  if (table === undefined || endpoint === undefined) return undefined;
  const role = identifier(endpoint.username);
  return `Run on the ${namedSide(context)}: grant usage on schema ${identifier(table.schema)} to ${role}; grant ${privileges} on ${qualified(table)} to ${role}; then reload the table.`;
}
