import { postgres } from "./database-kind.ts";
import { sourceContract } from "./source.ts";

sourceContract(postgres);
