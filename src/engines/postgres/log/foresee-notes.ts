import type pg from "pg";
import type { EndpointConfig } from "../../../core/engine.ts";
import type { Finding } from "../../../core/finding.ts";
import { selectJson } from "../catalog/catalog-query.ts";
import { keepNotes, NOTES_VERSION } from "./schema-notes.ts";

/** Roles that cloud providers let make event triggers in the place of a superuser. */
const LIKE_SUPERUSERS = ["rds_superuser", "cloudsqlsuperuser", "azure_pg_admin", "alloydbsuperuser"];

const MAY_MAKE = `
  select current_setting('server_version_num')::int >= ${NOTES_VERSION} and (
      (select rolsuper from pg_roles where rolname = current_user)
      or exists (select from pg_roles
                  where rolname = any($1::text[]) and pg_has_role(current_user, oid, 'member'))) as may`;

/** What keepNotes() would tell of a start from now on, as far as that shows without making anything. */
export async function foreseeNotes(client: pg.Client, endpoint: EndpointConfig): Promise<readonly Finding[]> {
  if (endpoint.settings["CaptureDdls"] === false) return [];
  const { kept, findings } = await keepNotes(client, endpoint, false);
  if (kept) return findings;
  const [role] = await selectJson<{ may: boolean }>(client, MAY_MAKE, [LIKE_SUPERUSERS]);
  return role!.may ? [] : findings;
}
