import { mariadb } from "./mysql-kinds.ts";
import { sourceContract } from "./source.ts";

sourceContract(mariadb);
