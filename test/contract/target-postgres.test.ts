import { postgres } from "./database-kind.ts";
import { targetContract } from "./target.ts";

targetContract(postgres);
