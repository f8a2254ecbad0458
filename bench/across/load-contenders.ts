import { join } from "node:path";
import { type LoadContender, tidewayData } from "../profiles/load-contenders.ts";

/*
 * What copies a table between MariaDB and PostgreSQL: commands that a person would type. Besides $SOURCE, $TARGET and
 * $WORK they may use $MARIADB_PORT and $MARIADB_USER, and MYSQL_PWD is set.
 */

export { tidewayData };

const client = '-h 127.0.0.1 -P "$MARIADB_PORT" -u "$MARIADB_USER" --default-character-set=utf8mb4';

/** Into the tables that are there, which is what it does fastest. */
export const pgloader: LoadContender = {
  name: "pgloader",
  needs: ["pgloader"],
  dumps: false,
  script: `mkdir "$WORK" &&
    printf 'load database from %s into %s with data only;\\n' "$(echo "$SOURCE" | sed s/^mariadb:/mysql:/)" "$TARGET" > "$WORK/load" &&
    "$PGLOADER" --root-dir "$WORK" "$WORK/load"`,
};

/** For tables without text that the client would have to escape: it leaves carriage returns as they are. */
export function clientPipe(table: string): LoadContender {
  return {
    name: "client | copy",
    needs: ["mariadb", "psql"],
    dumps: false,
    script: `"$MARIADB" ${client} --quick --batch --skip-column-names bench -e "select * from ${table}" |
      "$PSQL" -X -q -d "$TARGET" -c "copy bench.${table} from stdin (null 'NULL')"`,
  };
}

const stream = join(import.meta.dirname, "..", "peers", "mysql2-copy.ts");

/** The driver that Node programs use, at its fastest: values as bytes, rows as arrays, COPY's text. */
export function driverStream(table: string): LoadContender {
  return {
    name: "mysql2 stream",
    needs: [],
    dumps: false,
    script: `"$NODE" ${JSON.stringify(stream)} ${table}`,
  };
}

/**
 * What pg_dump makes for other servers, as mariadb-dump does: inserts of many rows, of 1,000 each. The client takes
 * them in one transaction; what only PostgreSQL understands is left out on the way.
 */
export function clientInserts(table: string): LoadContender {
  return {
    name: "inserts | client",
    needs: ["pg_dump", "mariadb"],
    dumps: true,
    script: `{ echo "set sql_mode = 'NO_BACKSLASH_ESCAPES', autocommit = 0, unique_checks = 0, foreign_key_checks = 0;"
      "$PG_DUMP" --data-only --inserts --rows-per-insert=1000 -t bench.${table} -d "$SOURCE" |
        sed -E '/^(SET |SELECT pg_catalog|--|\\\\|$)/d'
      echo "commit;"; } | "$MARIADB" ${client} --max-allowed-packet=64M bench`,
  };
}
