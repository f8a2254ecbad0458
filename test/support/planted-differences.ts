import type { TestSchema } from "../contract/database-kind.ts";

/** What differs between the dialects of the tables below. */
export interface PlantedDialect {
  readonly blob: string;
  readonly double: string;
  /** Makes bytes of SQL that is a text. */
  bytes(text: string): string;
}

export const plantedDialects = {
  postgres: {
    blob: "bytea",
    double: "double precision",
    bytes: (text) => `convert_to(${text}, 'UTF8')`,
  },
  mysql: { blob: "longblob", double: "double", bytes: (text) => text },
} as const satisfies Record<string, PlantedDialect>;

/** Keys of `notes` are the even numbers up to twice this. */
const NOTES = 1500;
const LAST = 2 * NOTES;
const LOB = "repeat('ab', 150000)";

/** Tables for which plantDifferences() knows what to do. */
export function plantedSchema({ blob, double, bytes }: PlantedDialect): string {
  const notes = Array.from({ length: NOTES }, (_, i) => {
    const id = 2 * (i + 1);
    const word = id === 20 ? "''" : `'word ${id}, it''s'`;
    const values = [word, `'pad'`, `${id}.2500`, "0.1e0", "'2026-03-29 01:30:00.123456'"];
    return `(${[id, ...values, id === 4 ? bytes(LOB) : bytes(`'short ${id}'`)].join(", ")})`;
  });
  const events = Array.from({ length: 600 }, (_, i) => `(${i % 200}, 'event ${i % 200}')`);
  return `
    create table notes (id int primary key, word varchar(100), pad varchar(20), price decimal(12,4), ratio ${double},
      moment timestamp(6) null default null, body ${blob});
    insert into notes values ${notes.join(", ")};
    create table events (n int, word varchar(20));
    insert into events values ${events.join(", ")};
    create table narrow (id int primary key, kept varchar(10), gone varchar(10));
    insert into narrow values (1, 'a', 'b');
    create table absent (id int primary key);
    insert into absent values (1)`;
}

/** Changes on the target what then has to be found, beside rows also tables. */
export async function plantDifferences(target: TestSchema, dialect: PlantedDialect): Promise<void> {
  await plantRows(target, dialect);
  await target.run("alter table narrow drop column gone; drop table absent");
}

/** Changes rows of the target alone. */
export async function plantRows(target: TestSchema, { bytes }: PlantedDialect): Promise<void> {
  const set = (id: number, what: string): string => `update notes set ${what} where id = ${id}`;
  await target.run(
    [
      // One bit: a and c differ in one.
      set(4, `body = ${bytes("concat(repeat('ab', 100000), 'cb', repeat('ab', 49999))")}`),
      set(10, "word = 'word 12, it''s'"),
      set(12, "word = 'word 10, it''s'"),
      set(20, "word = null"),
      set(22, "pad = 'pad '"),
      set(24, "ratio = 0.10000000000000002e0"),
      set(26, "moment = moment + interval '1' hour"),
      set(28, "moment = moment + interval '1' second"),
      set(30, "price = price + 0.0001, pad = 'dap'"),
      `delete from notes where id in (2, ${LAST})`,
      "insert into notes (id, word) values (7, 'new')",
      "insert into events values (17, 'event 17')",
      "delete from events where n = 18",
    ].join("; "),
  );
}

/** What plantDifferences() has planted. */
export const plantedLines: readonly string[] = [
  "events extra 1 of no key",
  "events missing 3 of no key",
  "notes different 10: word",
  "notes different 12: word",
  "notes different 20: word",
  "notes different 22: pad",
  "notes different 24: ratio",
  "notes different 26: moment",
  "notes different 28: moment",
  "notes different 30: pad, price",
  "notes different 4: body",
  "notes extra 7",
  "notes missing 2",
  `notes missing ${LAST}`,
];

/** What repairs that, as far as something does. */
export const plantedRepairs = [
  {
    name: "absent",
    delete: 0,
    update: 0,
    insert: 0,
    remarks: ["Not repaired: the target has no such table. Load it by a task."],
  },
  { name: "events", delete: 1, update: 0, insert: 3, remarks: [] },
  {
    name: "narrow",
    delete: 0,
    update: 0,
    insert: 0,
    remarks: ["Not repaired: the target lacks the column gone."],
  },
  { name: "notes", delete: 1, update: 9, insert: 2, remarks: [] },
];
