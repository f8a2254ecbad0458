import type { MysqlServer } from "./mysql-server.ts";

/* What gh-ost and pt-online-schema-change do to alter a table `t`, statement by statement, while it is written to. */

export interface OnlineAlter {
  readonly server: MysqlServer;
  readonly database: string;
  /** What follows ALTER TABLE. */
  readonly alter: string;
  /** Columns that both tables have. */
  readonly shared: readonly string[];
  /** What is written to `t` after each part of the copying; `%t%` stands for the table. */
  readonly writes: readonly string[];
  /** Called between the making of the copy and its filling. */
  readonly between?: () => Promise<void>;
}

/** Keys of the parts in which rows are copied. */
const PARTS = ["between 1 and 100", "between 101 and 200", "> 200"];

/** gh-ost reads the log and does to the copy what it says of the table. */
export async function alterLikeGhost(alter: OnlineAlter): Promise<void> {
  const { server, database, writes, between } = alter;
  const run = (sql: string) => server.query(sql, database);
  const columns = alter.shared.map((name) => `\`${name}\``).join(", ");
  await run("drop /* gh-ost */ table if exists `_t_gho`");
  await run("drop /* gh-ost */ table if exists `_t_del`");
  await run(`create /* gh-ost */ table \`${database}\`.\`_t_ghc\` (
    id bigint unsigned auto_increment,
    last_update timestamp not null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    hint varchar(64) charset ascii not null, value varchar(4096) charset ascii not null,
    primary key(id), unique key hint_uidx(hint)) auto_increment=256`);
  await run(`create /* gh-ost */ table \`${database}\`.\`_t_gho\` like \`${database}\`.\`t\``);
  await run(`alter /* gh-ost */ table \`${database}\`.\`_t_gho\` ${alter.alter}`);
  await run("insert /* gh-ost */ into `_t_ghc` (id, hint, value) values (2, 'state', 'GhostTableMigrated')");
  await between?.();
  for (const [i, part] of PARTS.entries()) {
    await run(
      `insert /* gh-ost */ ignore into \`_t_gho\` (${columns})
        (select ${columns} from \`t\` force index (\`PRIMARY\`) where id ${part} lock in share mode)`,
    );
    const write = writes[i] ?? "do 0";
    await run(write.replaceAll("%t%", "t"));
    await run(write.replaceAll("%t%", "_t_gho"));
  }
  await run(
    "create /* gh-ost */ table `_t_del` (id int auto_increment primary key) engine=InnoDB comment='ghost-cut-over-sentry'",
  );
  const locking = await server.connect(database);
  try {
    await locking.query("lock /* gh-ost */ tables `t` write, `_t_del` write");
    const renamed = run(
      `rename /* gh-ost */ table \`${database}\`.\`t\` to \`${database}\`.\`_t_del\`, \`${database}\`.\`_t_gho\` to \`${database}\`.\`t\``,
    );
    await locking.query("drop /* gh-ost */ table if exists `_t_del`; unlock tables");
    await renamed;
  } finally {
    await locking.end();
  }
  await run("drop /* gh-ost */ table if exists `_t_ghc`");
  await run("drop /* gh-ost */ table if exists `_t_del`");
}

/** pt-online-schema-change has triggers do to the copy what is done to the table. */
export async function alterLikePercona(alter: OnlineAlter): Promise<void> {
  const { server, database, writes, between } = alter;
  const run = (sql: string) => server.query(sql, database);
  const columns = alter.shared.map((name) => `\`${name}\``).join(", ");
  const news = alter.shared.map((name) => `NEW.\`${name}\``).join(", ");
  const [made] = await run("show create table t");
  await run(made!["Create Table"]!.replace("CREATE TABLE `t`", `CREATE TABLE \`${database}\`.\`_t_new\``));
  await run(`ALTER TABLE \`${database}\`.\`_t_new\` ${alter.alter}`);
  const place = `INTO \`${database}\`.\`_t_new\` (${columns}) VALUES (${news})`;
  await run(`CREATE TRIGGER pt_osc_del AFTER DELETE ON t FOR EACH ROW
    DELETE IGNORE FROM _t_new WHERE _t_new.id <=> OLD.id`);
  await run(`CREATE TRIGGER pt_osc_upd AFTER UPDATE ON t FOR EACH ROW BEGIN
    DELETE IGNORE FROM _t_new WHERE !(OLD.id <=> NEW.id) AND _t_new.id <=> OLD.id; REPLACE ${place}; END`);
  await run(`CREATE TRIGGER pt_osc_ins AFTER INSERT ON t FOR EACH ROW REPLACE ${place}`);
  await between?.();
  for (const [i, part] of PARTS.entries()) {
    await run(`INSERT LOW_PRIORITY IGNORE INTO _t_new (${columns}) SELECT ${columns} FROM t FORCE INDEX(PRIMARY)
      WHERE id ${part} LOCK IN SHARE MODE /*pt-online-schema-change copy nibble*/`);
    await run((writes[i] ?? "do 0").replaceAll("%t%", "t"));
  }
  await run("ANALYZE TABLE `_t_new` /* pt-online-schema-change */");
  await run(
    `RENAME TABLE \`${database}\`.\`t\` TO \`${database}\`.\`_t_old\`, \`${database}\`.\`_t_new\` TO \`${database}\`.\`t\``,
  );
  await run(`DROP TABLE IF EXISTS \`${database}\`.\`_t_old\``);
  for (const name of ["del", "upd", "ins"]) await run(`DROP TRIGGER IF EXISTS pt_osc_${name}`);
}
