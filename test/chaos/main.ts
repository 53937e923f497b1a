/**
 * `npm run chaos`: everything at once. `-- --quick` a choice of it in minutes; `-- --walk --seed N --steps M` the random
 * walk alone; `-- --only TEXT` the cells with that text; `-- --json` one JSON object at the end. Exit code 1 when anything was wrong.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { withoutProxy } from '../../src/dev/stack-plan.ts';
import type { Cell } from './cell.ts';
import { crashCells, recordLife } from './crash-points.ts';
import { layGround } from './ground.ts';
import { runInLanes } from './lanes.ts';
import { lostStartCells } from './lost-start.ts';
import { matrixCells } from './matrix.ts';
import { asLine, asTable, summarize } from './report.ts';
import { waitCells } from './waits.ts';
import { walk, walkOf } from './walk.ts';

/** Most of a cell is waiting, for a heartbeat to be missed. */
const LANES = availableParallelism() + 1;
const QUICK_EVERY = 8;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    walk: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: `${randomInt(2 ** 31)}` },
    steps: { type: 'string' },
  },
});
const { quick, json } = values;
const seed = Number(values.seed);
const steps = Number(values.steps ?? (quick ? 8 : 40));

Object.assign(process.env, withoutProxy(process.env));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1));
}
const tell = (line: string) => (json ? console.error(line) : console.log(line));
const startedAt = Date.now();
tell(`seed ${seed}`);
const all = values.walk ? [walkCell()] : await everything();
const cells = all.filter(({ group, name }) => `${group}: ${name}`.includes(values.only));
const results = await runInLanes(cells, LANES, (result) => tell(asLine(result)));
const wrong = results.filter((result) => result.wrong.length > 0);
const summaries = summarize(results);
if (json) console.log(JSON.stringify({ seed, steps, summaries, results }));
else console.log(`\n${asTable(summaries)}`);
tell(
  `${cells.length} cells, ${wrong.length} wrong, in ${Math.round((Date.now() - startedAt) / 1000)} s; ` +
    `Node ${process.version}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} at the end.`,
);
for (const { group, name } of wrong) {
  const again =
    group === 'random walk'
      ? `--walk --seed ${seed} --steps ${steps}`
      : `--only '${group}: ${name}'`;
  tell(`Again: npm run chaos -- ${again}`);
}
process.exitCode = wrong.length === 0 ? 0 : 1;

function walkCell(): Cell {
  return {
    group: 'random walk',
    name: `seed ${seed}, ${steps} steps`,
    run: (ground) => {
      const way = walkOf(seed, steps);
      for (const step of way) {
        tell(`  after ${step.afterMs} ms: ${step.fault} ${step.target}; a document: ${step.will}`);
      }
      return walk(ground, way);
    },
  };
}

async function everything(): Promise<readonly Cell[]> {
  const points = await recordOnce();
  const crashes = crashCells(points).filter((_, at) => !quick || at % QUICK_EVERY === 0);
  // The walk is the longest, so it does not come last.
  return [
    walkCell(),
    ...waitCells(quick ? 1 : 5),
    ...lostStartCells,
    ...crashes,
    ...matrixCells(quick),
  ];
}

async function recordOnce() {
  const ground = await layGround();
  await recordLife(ground); // the first of a fresh worker loads what the others find
  const points = await recordLife(ground);
  await ground.close();
  return points;
}
