import { mysqlSamples, zeroDateSamples } from "./filter-samples.ts";
import { filterContract } from "./filters.ts";
import { mysql57 } from "./mysql-kinds.ts";
import { sourceContract } from "./source.ts";

const session = "set sql_mode = ''; set time_zone = '+00:00'; ";

sourceContract(mysql57);
filterContract(mysql57, [
  { columns: mysqlSamples, settings: { TreatTinyInt1AsBoolean: true }, session },
  { columns: zeroDateSamples, settings: { ZeroDates: "epoch" }, session },
]);
