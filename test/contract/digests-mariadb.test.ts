import { mysqlDigestSamples } from "../support/mysql-digest-samples.ts";
import { digestContract } from "./digests.ts";
import { mariadb } from "./mysql-kinds.ts";

digestContract(mariadb, mysqlDigestSamples("mariadb"));
