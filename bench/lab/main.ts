/** `npm run lab`: the original, the guide's fixes and Intake under one script of faults. */
import { Command, Option } from 'commander';
import { experiment } from './experiment.ts';
import { describe } from './report.ts';
import { type SideName, sideNames } from './side.ts';

interface Options {
  readonly seed: string;
  readonly documents: number;
  readonly quick?: boolean;
  readonly json?: boolean;
  readonly only?: SideName;
}

const program = new Command('lab')
  .description(
    'Compares Intake with the pipeline of FM-027, as it was and with all fixes of the guide.',
  )
  .option('--seed <text>', 'decides the script', 'fm-027')
  .option('--documents <count>', 'recoverable documents that Intake meets', Number, 3_000)
  .option('--quick', 'a tenth of them')
  .option('--json', 'one JSON object on stdout, and nothing else')
  .addOption(new Option('--only <side>', 'one side alone').choices(sideNames))
  .action(async ({ seed, documents, quick = false, json = false, only }: Options) => {
    const result = await experiment({
      seed,
      documents: quick ? Math.ceil(documents / 10) : documents,
      only,
      say: (words) => console.error(words),
    });
    console.log(json ? JSON.stringify(result) : describe(result));
  });

await program.parseAsync();
