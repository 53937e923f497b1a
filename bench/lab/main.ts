/** `npm run lab`: the original, the guide's fixes and Intake under one script of faults. */
import { Argument, Command, Option } from 'commander';
import { experiment } from './experiment.ts';
import { writePictures } from './pictures.ts';
import { describeRaces, type RaceName, raceNames, runRaces } from './races.ts';
import { describe } from './report.ts';
import { type SideName, sideNames } from './side.ts';
import { describeSoak, runSoak, soakFailed } from './soak.ts';
import { describeTiming, runTiming } from './timing.ts';

interface Options {
  readonly seed: string;
  readonly documents: number;
  readonly pace: number;
  readonly quick?: boolean;
  readonly only?: SideName;
  readonly pictures?: string;
}

const program = new Command('lab')
  .description('Intake against the pipeline of FM-027, as it was and with all fixes of the guide.')
  .enablePositionalOptions()
  .option('--json', 'one JSON object on stdout, and nothing else')
  .option('--seed <text>', 'decides the script', 'fm-027')
  .option('--documents <count>', 'recoverable documents that Intake meets', Number, 3_000)
  .option('--pace <ms>', 'between two documents at Intake', Number, 500)
  .option('--quick', 'a tenth of them')
  .addOption(new Option('--only <side>', 'one side alone').choices(sideNames))
  .option('--pictures <folder>', 'leave a picture of each figure there')
  .action(async ({ seed, documents, pace, quick = false, only, pictures }: Options) => {
    const count = quick ? Math.ceil(documents / 10) : documents;
    const result = await experiment({ seed, documents: count, paceMs: pace, only, say });
    if (pictures !== undefined) await writePictures(result, pictures);
    answer(result, describe);
  });
program
  .command('races')
  .description('The guide’s four races, each made to happen at every side.')
  .addArgument(new Argument('[name]', 'one of them').choices(raceNames))
  .option('--json', 'one JSON object on stdout, and nothing else')
  .action(async (name: RaceName | undefined) =>
    answer({ races: await runRaces(name, say) }, ({ races }) => describeRaces(races)),
  );
program
  .command('timing')
  .description('From sending the bytes to searchable, stage by stage, without faults.')
  .option('--json', 'one JSON object on stdout, and nothing else')
  .action(async () =>
    answer({ sides: await runTiming(say) }, ({ sides }) => describeTiming(sides)),
  );
program
  .command('soak')
  .description(
    'Intake alone, one document of a hundred in trouble, with its memory. Exit code 1: one was lost, doubled or stuck.',
  )
  .option('--json', 'one JSON object on stdout, and nothing else')
  .option('--seed <text>', 'decides the script', 'fm-027')
  .option('--documents <count>', 'that can be brought home', Number, 3_000)
  .option('--pace <ms>', 'between two documents', Number, 200)
  .action(async ({ seed, documents, pace }: Pick<Options, 'seed' | 'documents' | 'pace'>) => {
    const result = await runSoak({ seed, documents, paceMs: pace, say });
    answer(result, describeSoak);
    if (soakFailed(result)) process.exitCode = 1;
  });

await program.parseAsync();

function say(words: string): void {
  console.error(words);
}

function answer<Result>(result: Result, inWords: (result: Result) => string): void {
  console.log(process.argv.includes('--json') ? JSON.stringify(result) : inWords(result));
}
