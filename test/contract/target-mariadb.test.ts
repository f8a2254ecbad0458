import { mariadb } from "./mysql-kinds.ts";
import { targetContract } from "./target.ts";

targetContract(mariadb);
