import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import type { TypeChoices } from "../catalog/type-map.ts";
import type { Client } from "../connection/client.ts";
import { atLeast, type ServerFacts } from "../connection/server-facts.ts";
import { openWriters } from "../snapshot/open-writers.ts";
import { assessCascades } from "./assess-cascades.ts";
import { assessLeftOut } from "./assess-left-out.ts";
import { assessLocks } from "./assess-locks.ts";
import { assessLog } from "./assess-log.ts";
import { assessPrivileges, readAccount } from "./assess-privileges.ts";
import { assessSourceTables } from "./assess-source-tables.ts";
import { assessUnseen } from "./assess-unseen.ts";

/** An application's transactions and statements are over sooner. */
const LONG_S = 600;

/** Whether a server is fit to be read from, as far as it tells. Changes nothing. */
export async function assessSource(
  client: Client,
  request: SourceAssessment,
  choices: TypeChoices,
  longTransactionSeconds = LONG_S,
): Promise<Finding[]> {
  const account = await readAccount(client);
  const findings = assessVersion(client.facts);
  if (request.type !== "full-load") {
    findings.push(...(await assessLog(client, request, account)));
    findings.push(...(await assessCascades(client, request.tables, choices)));
    if (request.ownOnly === true) findings.push(cannotFilter());
  }
  if (request.type !== "cdc" && !request.resumes) {
    findings.push(...(await longTransactions(client, longTransactionSeconds)));
  }
  findings.push(...assessPrivileges(client, request, account));
  findings.push(...(await assessLocks(client, request, account)));
  findings.push(...(await assessSourceTables(client, request, account)));
  findings.push(...(await assessLeftOut(client, request)), ...(await assessUnseen(client, request, account)));
  return findings;
}

/** What keeps a snapshot of MySQL from beginning, which takes a lock; MariaDB's mostly takes none. */
async function longTransactions(client: Client, seconds: number): Promise<readonly Finding[]> {
  if (client.facts.flavour === "mariadb") return [];
  return (await openWriters(client, seconds)).map(({ subject, state, seconds: open }) =>
    finding("source.long_transaction", "warning", {
      subject,
      message: `The ${subject} (${state}) has been at it for ${Math.round(open / 60)} minutes; the lock that the full load begins with may have to wait for its end.`,
    }),
  );
}

/** MySQL's log tells which server a change is from, and not that a task has brought it there. */
function cannotFilter(): Finding {
  return finding("settings.unsupported", "error", {
    subject: "EnableLoopbackPrevention",
    message:
      "The log of a MySQL or MariaDB source does not tell which changes another task has brought to it.",
    remedy: "Replicate in one direction, and set EnableLoopbackPrevention to false.",
  });
}

function assessVersion(facts: ServerFacts): Finding[] {
  const isKnown = facts.flavour === "mariadb" ? atLeast(facts, 10, 5) : atLeast(facts, 5, 7);
  if (isKnown) return [];
  return [
    finding("source.version_unsupported", "error", {
      subject: facts.text,
      message: `The source is ${facts.text}; Tideway reads from MySQL 5.7 and MariaDB 10.5 on.`,
    }),
  ];
}
