import type { Replication } from "./replication.ts";

/** Lets the applier connect as a role that has only these rights. */
export async function connectAs(r: Replication, rights: string): Promise<void> {
  const role = `plain_${r.to}`;
  await r.close();
  await r.queryTarget(`revoke temporary on database ${r.to} from public;
    create role ${role} login password 'pw'; grant usage on schema public to ${role};
    grant select, insert, update, delete on all tables in schema public to ${role};
    ${rights.replaceAll("$role", role).replaceAll("$database", r.to)}`);
  r.target = { ...r.target, username: role, password: "pw" };
  await r.open();
}

/** Needs to be gone before its server forgets the database. */
export async function dropRole(r: Replication): Promise<void> {
  const role = r.target.username;
  const { target } = r.options;
  await r.close();
  await r.queryTarget(`drop owned by ${role}`);
  await target.query(`revoke set on parameter session_replication_role from ${role}; drop role ${role}`);
  r.target = { ...r.target, username: "postgres", password: target.password };
  await r.open();
}
