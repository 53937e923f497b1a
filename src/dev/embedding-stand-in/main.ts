/** Child entry of the embedding stand-in. */
import { runStandIn } from '../run-stand-in.ts';
import { embeddingStandInOptions, startEmbeddingStandIn } from './embedding-stand-in.ts';

await runStandIn((options) => startEmbeddingStandIn(embeddingStandInOptions.parse(options)));
