/** Child entry of the parser stand-in. */
import { runStandIn } from '../run-stand-in.ts';
import { parserStandInOptions, startParserStandIn } from './parser-stand-in.ts';

await runStandIn((options) => startParserStandIn(parserStandInOptions.parse(options)));
