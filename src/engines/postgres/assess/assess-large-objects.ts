import type pg from "pg";
import type { Finding } from "../../../core/finding.ts";
import type { SourceAssessment } from "../../../core/source.ts";
import { finding } from "../../shared/finding.ts";
import { identifier } from "../../shared/identifier.ts";
import { selectJson } from "../catalog/catalog-query.ts";

/** What becomes of the source's large objects, before the start; nothing when there are none. */
export async function assessLargeObjects(
  client: pg.Client,
  { movesLargeObjects, type }: SourceAssessment,
): Promise<Finding[]> {
  // It has been said, and what the application has made since is not going to be read.
  if (movesLargeObjects === "done") return [];
  const [found] = await selectJson<{ count: string; hidden: string; role: string }>(client, COUNTS);
  const { count, hidden, role } = found!;
  if (count === "0") return [];
  const subject = "large objects";
  if (!movesLargeObjects) {
    return [
      finding("source.not_moved", "warning", {
        subject,
        message: `Large objects are not moved: ${count}.`,
        remedy:
          type === "cdc"
            ? "Move them by other means: only a full load copies them."
            : "Set TidewaySettings.MigrateLargeObjects in the task settings, or move them by other means.",
      }),
    ];
  }
  if (hidden !== "0") {
    return [
      finding("source.privilege", "error", {
        subject,
        message: `The role ${role} may not read ${hidden} of ${count} large objects.`,
        remedy: `Run on the source: grant select on large object ... to ${identifier(role)}; or grant it the roles that own them.`,
      }),
    ];
  }
  return [
    finding("source.large_objects", type === "full-load" ? "info" : "warning", {
      subject,
      message: `${count} large objects are copied as the full load finds them; how they change later is not captured.`,
    }),
  ];
}

/** pg_read_all_data is not about large objects, and before version 18 no function tells who may read one. */
const COUNTS = `
  select count(*)::text as count, current_user as role,
         count(*) filter (where not (current_setting('lo_compat_privileges')::boolean or pg_has_role(lomowner, 'usage')
           or exists (select from aclexplode(lomacl) as x
                       where x.privilege_type = 'SELECT' and (x.grantee = 0 or pg_has_role(x.grantee, 'usage')))))::text as hidden
    from pg_largeobject_metadata`;
