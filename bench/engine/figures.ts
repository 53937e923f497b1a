/** One run of the comparison: all figures of both sides. */
import type { Client } from '@temporalio/client';
import type { BareSide } from './bare-side.ts';
import type { Answers, IntakeSide } from './intake-side.ts';
import {
  announceMany,
  burst,
  historyOf,
  oneByOne,
  percentile,
  type Times,
  withCpu,
} from './measure.ts';
import { memoryMb } from './processes.ts';
import type { Side } from './side.ts';

export interface Plan {
  readonly documents: number;
  readonly burst: number;
  readonly rounds: number;
  readonly waiting: number;
  /** How long the parser works on a document, on either side. */
  readonly parserMs: number;
  readonly say: (words: string) => void;
}

export interface SideFigures {
  readonly announceP50Ms: number;
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  readonly nodeCpuMs: number;
  readonly burstPerSecond: number;
  readonly burstNodeCpuMs: number;
  readonly events: number;
  readonly historyBytes: number;
}

export interface Figures {
  readonly intake: SideFigures;
  readonly bare: SideFigures;
  /** CPU per document of every process during Intake's bursts. */
  readonly burstCpuMs: Readonly<Record<string, number>>;
  /** Of the stand-ins, per document. */
  readonly answers: Answers;
  /** The worker's memory before and after so many more documents wait. */
  readonly workerMb: { readonly before: number; readonly after: number };
}

const WARM_UP = 30;

export async function measure(
  client: Client,
  { intake, bare }: { readonly intake: IntakeSide; readonly bare: BareSide },
  plan: Plan,
): Promise<Figures> {
  const { say } = plan;
  const pids: Readonly<Record<string, number>> = { ...intake.pids, bare: bare.pid };
  const sides = [intake, bare] as const;
  say(`warming up, ${WARM_UP} documents each`);
  await oneByOne(client, sides, WARM_UP);

  say(`${plan.documents} documents each, in turns`);
  const answeredBefore = await intake.answers();
  const single = await withCpu(pids, () => oneByOne(client, sides, plan.documents));
  const answers = perDocument(answeredBefore, await intake.answers(), plan.documents);

  const bursts = await takeTurns(client, { intake, bare }, { ...plan, pids });
  const outsideMs = { intake: plan.parserMs + answers.ms, bare: plan.parserMs };
  const figuresOf = async (side: IntakeSide | BareSide): Promise<SideFigures> => ({
    ...timesOf(single.result.get(side), outsideMs[side.name]),
    nodeCpuMs: nodeCpu(side, single.cpu) / plan.documents,
    burstPerSecond: bursts[side.name].perSecond,
    burstNodeCpuMs: nodeCpu(side, bursts[side.name].cpuPerDocument),
    ...(await historyOf(client, side)),
  });

  const sideFigures = { intake: await figuresOf(intake), bare: await figuresOf(bare) };
  const workerMb = () => memoryMb(pids['worker'] ?? 0);
  const before = workerMb();
  say(`${plan.waiting} documents that wait`);
  await announceMany(intake, plan.waiting);
  return {
    ...sideFigures,
    burstCpuMs: bursts.intake.cpuPerDocument,
    answers,
    workerMb: { before, after: workerMb() },
  };
}

interface Burst {
  readonly perSecond: number;
  readonly cpuPerDocument: Readonly<Record<string, number>>;
}

async function takeTurns(
  client: Client,
  sides: { readonly intake: IntakeSide; readonly bare: BareSide },
  plan: Plan & { readonly pids: Readonly<Record<string, number>> },
): Promise<Record<'intake' | 'bare', Burst>> {
  const runs = { intake: [] as Burst[], bare: [] as Burst[] };
  for (let round = 1; round <= plan.rounds; round += 1) {
    for (const name of ['bare', 'intake'] as const) {
      plan.say(`burst of ${plan.burst}, ${name}, round ${round}`);
      const work = () => burst(client, sides[name], plan.burst);
      const { result: perSecond, cpu } = await withCpu(plan.pids, work);
      const shares = Object.entries(cpu).map(([process, ms]) => [process, ms / plan.burst]);
      runs[name].push({ perSecond, cpuPerDocument: Object.fromEntries(shares) });
    }
  }
  return { intake: meanOf(runs.intake), bare: meanOf(runs.bare) };
}

function meanOf(bursts: readonly Burst[]): Burst {
  const mean = (pick: (burst: Burst) => number) =>
    bursts.reduce((sum, one) => sum + pick(one), 0) / bursts.length;
  const names = Object.keys(bursts[0]?.cpuPerDocument ?? {});
  return {
    perSecond: mean(({ perSecond }) => perSecond),
    cpuPerDocument: Object.fromEntries(
      names.map((name) => [name, mean(({ cpuPerDocument }) => cpuPerDocument[name] ?? 0)]),
    ),
  };
}

function timesOf(times: Times | undefined, outsideMs: number) {
  const { announced = [], processed = [] } = times ?? {};
  const added = processed.map((ms, index) => ms + (announced[index] ?? 0) - outsideMs);
  return {
    announceP50Ms: percentile(announced, 0.5),
    addedP50Ms: percentile(added, 0.5),
    addedP99Ms: percentile(added, 0.99),
  };
}

/** Whatever a side runs on Node, leaving out what stands for others. */
function nodeCpu({ name }: Side, cpu: Readonly<Record<string, number>>): number {
  return name === 'bare' ? (cpu['bare'] ?? 0) : (cpu['api'] ?? 0) + (cpu['worker'] ?? 0);
}

function perDocument(before: Answers, after: Answers, documents: number): Answers {
  return {
    storage: (after.storage - before.storage) / documents,
    parser: (after.parser - before.parser) / documents,
    embedder: (after.embedder - before.embedder) / documents,
    ms: (after.ms - before.ms) / documents,
  };
}
