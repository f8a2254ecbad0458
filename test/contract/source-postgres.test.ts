import { postgres } from "./database-kind.ts";
import { postgresSamples } from "./filter-samples.ts";
import { filterContract } from "./filters.ts";
import { sourceContract } from "./source.ts";

sourceContract(postgres);
filterContract(postgres, [{ columns: postgresSamples }]);
