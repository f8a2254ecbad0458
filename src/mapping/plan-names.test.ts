import assert from "node:assert/strict";
import { test } from "node:test";
import {
  catalog,
  compile,
  enumType,
  id,
  index,
  type Situation,
  sequence,
  table,
} from "../../test/support/plan-situation.ts";
import { displayTable, type Sequence, type TableSchema } from "../core/schema.ts";

const clashes: readonly {
  readonly because: string;
  readonly situation: Situation;
  readonly message: RegExp;
}[] = [
  {
    because: "two tables are given one name",
    situation: {
      catalog: catalog({ tables: [table("s.a"), table("s.b")] }),
      rules: [["table", "rename", "s.%", "same"]],
    },
    message: /^s\.a and s\.b both come to the table s\.same on the target, by rule 1\.$/,
  },
  {
    because: "TargetSchema brings two schemas' tables together",
    situation: { catalog: catalog({ tables: [table("a.t"), table("b.t")] }), targetSchema: "x" },
    message: /^a\.t and b\.t both come to the table x\.t on the target\.$/,
  },
  {
    because: "a table takes the name of another that keeps its own",
    situation: {
      catalog: catalog({ tables: [table("s.a"), table("s.b")] }),
      rules: [["table", "rename", "s.a", "b"]],
    },
    message: /both come to the table s\.b/,
  },
  {
    because: "different types come together",
    situation: {
      catalog: catalog({
        tables: [table("a.t")],
        types: [enumType("a.status", "x"), enumType("b.status", "x", "y")],
      }),
      targetSchema: "x",
    },
    message: /^a\.status and b\.status both come to the type x\.status/,
  },
  {
    because: "a table takes a type's name",
    situation: {
      catalog: catalog({ tables: [table("a.t")], types: [enumType("a.status", "x")] }),
      rules: [["table", "rename", "a.t", "status"]],
    },
    message: /^a\.t and a\.status both come to the type a\.status/,
  },
  {
    because: "two sequences come together",
    situation: {
      catalog: catalog({ tables: [table("a.t")], sequences: [sequence("a.ids"), sequence("b.ids")] }),
      targetSchema: "x",
    },
    message: /^a\.ids and b\.ids both come to the sequence x\.ids/,
  },
];

for (const { because, situation, message } of clashes) {
  test(`the plan is refused when ${because}`, () => {
    const { findings } = compile(situation);
    assert.deepEqual(
      findings.map(({ code, severity, table: about }) => ({ code, severity, about })),
      [{ code: "mapping.target_clash", severity: "error", about: undefined }],
    );
    assert.match(findings[0]!.message, message);
  });
}

test("equal types that come together are one, and so are their schemas", () => {
  const compiled = compile({
    catalog: catalog({
      tables: [table("a.t")],
      types: [enumType("a.status", "x"), enumType("b.status", "x")],
    }),
    targetSchema: "x",
  });
  assert.deepEqual(compiled.findings, []);
  assert.deepEqual(compiled.plan.target.types, [enumType("x.status", "x")]);
  assert.deepEqual(compiled.plan.target.schemas, [{ name: "x" }]);
});

test("an index whose name is taken gets another that is not, and it is said", () => {
  const compiled = compile({
    catalog: catalog({
      tables: [
        table("a.users", { indexes: [index("users_pkey"), index("by_name")] }),
        table("b.users", { indexes: [index("users_pkey"), index("by_mail")] }),
        table("b.more", { indexes: [index("users_pkey_b")] }),
      ],
    }),
    rules: [["table", "rename", "b.users", "b_users"]],
    targetSchema: "x",
  });
  const names = compiled.plan.target.tables.map((one) => one.indexes.map(({ name }) => name).join(" "));
  assert.deepEqual(names, ["users_pkey by_name", "users_pkey_b_2 by_mail", "users_pkey_b"]);
  assert.deepEqual(
    compiled.findings.map(({ code, severity, table: about }) => ({ code, severity, about })),
    [{ code: "plan.object_renamed", severity: "info", about: id("b.users") }],
  );
  const planned = compiled.plan.tables.find(
    ({ source }) => source.id.name === "users" && source.id.schema === "b",
  );
  assert.equal(planned!.target.indexes[0]!.name, "users_pkey_b_2");
  assert.equal(planned!.source.indexes[0]!.name, "users_pkey");
});

test("sequences of columns that come to one name are told apart, and defaults follow", () => {
  const owned = (schema: string, name: string, internal: boolean): Sequence =>
    sequence(`${schema}.${name}`, { ownedBy: { table: id(`${schema}.users`), column: "id" }, internal });
  const compiled = compile({
    catalog: catalog({
      tables: [
        table("a.users"),
        table("b.users"),
        table("c.uses_b", { columns: columnsDrawingFrom("b.ids") }),
      ],
      sequences: ["a", "b"].flatMap((one) => [owned(one, "ids", false), owned(one, "users_id_seq", true)]),
    }),
    rules: [["table", "add-prefix", "b.%", "b_"]],
    targetSchema: "x",
  });
  const { plan, findings } = compiled;
  assert.deepEqual(
    plan.sequences.map(({ source, target }) => `${displayTable(source.id)} -> ${displayTable(target.id)}`),
    [
      "a.ids -> x.ids",
      "a.users_id_seq -> x.users_id_seq",
      "b.ids -> x.ids_b",
      "b.users_id_seq -> x.users_id_seq_b",
    ],
  );
  assert.deepEqual(
    plan.target.tables.map((one) => one.columns[0]!.default),
    ["nextval('ids'::regclass)", `nextval('"x"."ids_b"'::regclass)`, `nextval('"x"."ids_b"'::regclass)`],
  );
  assert.deepEqual(
    findings.map(({ code, severity, table: about }) => [code, severity, about]),
    [
      ["plan.object_renamed", "info", id("b.users")],
      ["plan.object_renamed", "info", id("b.users")],
    ],
  );
});

function columnsDrawingFrom(sequenceName: string): TableSchema["columns"] {
  return table("x.y").columns.map((column) => ({
    ...column,
    default: `nextval('${sequenceName}'::regclass)`,
  }));
}

test("a new index name has at most 63 bytes and whole characters", () => {
  const long = "ü".repeat(31);
  const schema = "ß".repeat(31);
  const compiled = compile({
    catalog: catalog({
      tables: [
        table("a.one", { indexes: [index(long)] }),
        table(`${schema}.two`, { indexes: [index(long)] }),
      ],
    }),
    targetSchema: "x",
  });
  const name = compiled.plan.target.tables[1]!.indexes[0]!.name;
  assert.ok(Buffer.byteLength(name) <= 63 && !name.includes("\ufffd"), name);
  assert.match(name, /^ü+_ß+$/);
});

test("a name that rules make too long or empty sets the table aside", () => {
  const tables = [table(`s.${"x".repeat(63)}`), table("s.tmp_"), table(`s.${"é".repeat(30)}`)];
  const { findings } = compile({
    catalog: catalog({ tables }),
    rules: [
      ["table", "remove-prefix", "s.tmp%", "tmp_"],
      ["table", "add-suffix", "%.%", "_ab"],
    ],
  });
  assert.deepEqual(
    findings.map(({ code, severity, table: about }) => [code, severity, about?.name.length]),
    [
      ["mapping.table_name_invalid", "error", 63],
      ["mapping.table_name_invalid", "error", 4],
    ],
  );
  assert.match(findings[0]!.message, /has 66 bytes, more than 63/);
  assert.match(findings[1]!.message, /is empty/);
});

test("a schema name that the target cannot have stops the task", () => {
  const { findings } = compile({
    catalog: catalog({ tables: [table("s.a")] }),
    targetSchema: "é".repeat(32),
  });
  assert.deepEqual(
    findings.map(({ code, severity, table: about }) => [code, severity, about]),
    [["mapping.schema_name_invalid", "error", undefined]],
  );
});
