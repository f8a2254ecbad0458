import { mysqlDigestSamples } from "../support/mysql-digest-samples.ts";
import { digestContract } from "./digests.ts";
import { mysql57 } from "./mysql-kinds.ts";

digestContract(mysql57, mysqlDigestSamples("mysql"));
