import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding, mends } from "../../shared/finding.ts";
import { identifier } from "../catalog/identifier.ts";
import type { Client } from "../connection/client.ts";
import { type Grants, readGrants } from "../connection/grants.ts";
import type { Account } from "./assess-privileges.ts";

interface Unseen {
  readonly privilege: string;
  /** What is not listed without it. */
  readonly what: string;
  /** What else shows it. */
  readonly isShown?: (grants: Grants) => boolean;
}

const KINDS: readonly Unseen[] = [
  { privilege: "SELECT", what: "tables on which it has no privilege" },
  { privilege: "TRIGGER", what: "triggers" },
  {
    ...{ privilege: "EXECUTE", what: "functions and procedures of others" },
    // The server keeps them in a table, or has a privilege of its own for looking at them.
    isShown: (grants) => grants.has("SELECT", "mysql") || grants.hasGlobal("SHOW_ROUTINE"),
  },
  { privilege: "EVENT", what: "events" },
];

/** The server lists to nobody what he may not use: of what is not moved nothing can be said then. */
export async function assessUnseen(
  client: Client,
  { tables, movesWhole }: SourceAssessment,
  { user, sql }: Account,
): Promise<readonly Finding[]> {
  const grants = await readGrants(client);
  const schemas = new Set([...tables.map(({ id }) => id.schema), ...(movesWhole ?? [])]);
  return [...schemas].flatMap((schema) => {
    const unseen = KINDS.filter(
      ({ privilege, isShown }) => !grants.has(privilege, schema) && isShown?.(grants) !== true,
    );
    if (unseen.length === 0) return [];
    const privileges = unseen.map(({ privilege }) => privilege).join(", ");
    return [
      finding("source.privilege", "info", {
        subject: `database ${schema}`,
        message: `The user ${user} lacks privileges in the database ${schema} (${privileges}): the server does not show it whether there are ${listed(unseen.map(({ what }) => what))}, which would not be moved.`,
        ...mends("source", [`grant ${privileges.toLowerCase()} on ${identifier(schema)}.* to ${sql};`], {
          after: "and assess again, or look with another user.",
        }),
      }),
    ];
  });
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
