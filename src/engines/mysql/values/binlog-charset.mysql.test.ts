import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { BinlogSource, ReadLog } from "../../../../test/support/binlog-source.ts";
import { startMysql } from "../../../../test/support/mysql-server.ts";

/** What each set has that is not ASCII. */
const TEXTS: Readonly<Record<string, string>> = {
  latin1: "naïve €“quoted” ÿ",
  latin2: "Łódź žluťoučký",
  latin5: "İstanbul ğüş",
  latin7: "ąžuolas šį",
  greek: "αβγ Ωώ",
  hebrew: "שלום",
  koi8r: "привет",
  koi8u: "ґанок",
  cp1250: "žluťoučký €",
  cp1251: "привет €",
  cp866: "привет",
  cp850: "ñandú ½",
  macroman: "naïve “x”",
  tis620: "สวัสดี",
  gbk: "漢字汉字，。",
  gb2312: "汉字，。―・",
  big5: "漢字，。•",
  sjis: "漢字〜‖−\\ｱｲ",
  cp932: "漢字～∥－＼①ｱ",
  ujis: "漢字〜‖丂ｱ",
  eucjpms: "漢字～∥纊丂",
  euckr: "한글갂漢",
  ucs2: "漢字é",
  utf16: "漢字😀",
  utf16le: "漢字😀",
  utf32: "漢字😀",
};

suite("text of other character sets than UTF-8", () => {
  for (const flavour of ["mariadb", "mysql"] as const) {
    test(`arrives from ${flavour} as what it shows`, async () => {
      await using server = await startMysql({ flavour });
      const columns = Object.keys(TEXTS).map((name) => `${name} varchar(50) character set ${name}`);
      await using source = await BinlogSource.make(
        server,
        `create table t (id int primary key, ${columns.join(", ")})`,
      );
      const from = await source.position();
      await source.query(
        `insert into t values (1, ${Object.values(TEXTS)
          .map((text) => `'${text.replaceAll("\\", "\\\\")}'`)
          .join(", ")})`,
      );
      const log = await source.read(from);
      assert.deepEqual(log.misfits, []);
      assert.deepEqual(log.ops[0]!.after!.slice(1), Object.values(TEXTS));
    });
  }

  test("texts and labels that were logged before a column was converted arrive as what they showed", async () => {
    await using server = await startMysql({ flavour: "mariadb", settings: { binlog_row_metadata: "FULL" } });
    await using source = await BinlogSource.make(
      server,
      `create table t (id int primary key, e enum('да', 'нет') character set cp1251, s set('漢', '字') character set gbk,
        v varchar(20) character set sjis)`,
    );
    const from = await source.position();
    await source.query("insert into t values (1, 'нет', '漢,字', 'ソ表示')");
    const goal = await source.position();
    // MariaDB loses labels in "convert to character set".
    await source.query(
      `set sql_mode = ''; alter table t modify e enum('да', 'нет') character set utf8mb4,
        modify s set('漢', '字') character set utf8mb4, modify v varchar(20) character set utf8mb4`,
    );
    await source.describe();
    await using stream = await source.open(from);
    const log = new ReadLog();
    await log.read(stream, goal);
    // The table is another from the next transaction on.
    assert.deepEqual(
      log.misfits.filter(({ transaction }) => transaction === 0),
      [],
    );
    assert.deepEqual(log.ops[0]!.after, ["1", "нет", "漢,字", "ソ表示"]);
  });

  test("every character of gb18030 arrives as the server shows it", async () => {
    await using server = await startMysql({ flavour: "mysql" });
    await using source = await BinlogSource.make(
      server,
      "create table t (id int primary key, g longtext character set gb18030)",
    );
    const from = await source.position();
    const characters: string[] = [];
    for (let one = 1; one <= 0x10_ffff; one += one < 0x1_1000 ? 1 : 97) {
      if (one < 0xd800 || one > 0xdfff) characters.push(String.fromCodePoint(one));
    }
    const client = await server.connect(source.database);
    try {
      await client.query("set sql_mode = ''; insert into t values (1, ?)", [characters.join("")]);
    } finally {
      await client.end();
    }
    const [row] = await source.query("select convert(g using utf8mb4) as g from t");
    const log = await source.read(from);
    assert.deepEqual(log.misfits, []);
    const [, told] = log.ops[0]!.after!;
    assert.ok(told === row!["g"]);
    assert.ok(told!.length > 70_000 && !told!.includes("??"));
  });
});
