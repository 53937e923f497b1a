/**
 * Entry of the process that reads one document: `node parse-child.ts <input> <output> <settings>`. Tells its
 * parent how much work it found and writes the outcome into the output file.
 */
import { writeFile } from 'node:fs/promises';
import { parseDocument } from './parse-document.ts';
import { parseSettings } from './parse-outcome.ts';

process.once('disconnect', () => process.exit(1)); // nobody waits for the answer any more
const [input = '', output = '', settings = ''] = process.argv.slice(2);
const outcome = await parseDocument(input, parseSettings.parse(JSON.parse(settings)), (known) => {
  process.send?.(known);
});
await writeFile(output, JSON.stringify(outcome));
process.exit(0);
