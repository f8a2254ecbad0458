import { mysql57 } from "./mysql-kinds.ts";
import { sourceContract } from "./source.ts";

sourceContract(mysql57);
