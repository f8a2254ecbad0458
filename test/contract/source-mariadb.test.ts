import { mariadbSamples, zeroDateSamples } from "./filter-samples.ts";
import { filterContract } from "./filters.ts";
import { mariadb } from "./mysql-kinds.ts";
import { sourceContract } from "./source.ts";

const session = "set sql_mode = ''; set time_zone = '+00:00'; ";

sourceContract(mariadb);
filterContract(mariadb, [
  { columns: mariadbSamples, settings: { TreatTinyInt1AsBoolean: true }, session },
  { columns: zeroDateSamples, settings: { ZeroDates: "epoch" }, session },
]);
