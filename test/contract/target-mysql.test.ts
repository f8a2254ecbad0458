import { mysql57 } from "./mysql-kinds.ts";
import { targetContract } from "./target.ts";

targetContract(mysql57);
