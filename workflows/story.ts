/**
 * How the run stands, in words: what an operator reads in the Temporal UI as current details, and what the queries
 * `explain` and `timeline` answer. The tries of an activity under way are not the run's to know: the UI shows them
 * beside, as pending activity.
 */
import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { type ErrorCode, errorCodes } from '../src/domain/errors.ts';
import type { ParseJobId } from '../src/domain/ids.ts';
import type { Stage } from '../src/domain/ingestion.ts';
import { queryNames, type Standing } from '../src/domain/operators.ts';

/** What an operator may extend the deadline of. */
export type Wait = 'upload' | 'storage' | 'submit' | 'parser' | 'collect' | 'embedder';

interface Scene {
  readonly says: string;
  readonly stage: Stage;
  readonly turn: string;
  readonly wait?: Wait;
  /** How an activity under way is tried again. */
  readonly tries?: string;
  /** What the run itself does again and again. */
  readonly rounds?: 'Look' | 'Poll';
}

const scenes = {
  verify: {
    says: 'Looking for the uploaded bytes: private copy, size, checksum, type.',
    stage: 'verify',
    turn: 'ours',
    wait: 'upload',
    tries: 'up to 4, after 1, 2 and 4 s',
    rounds: 'Look',
  },
  awaitUpload: {
    says: 'The bytes have not arrived yet.',
    stage: 'verify',
    turn: 'the owner, who uploads and confirms',
    wait: 'upload',
    rounds: 'Look',
  },
  storageOut: {
    says: 'Storage is down or refuses us. The document waits; nobody needs to upload again.',
    stage: 'verify',
    turn: 'ours',
    wait: 'storage',
    tries: 'until the deadline, at most 20 s apart',
  },
  parse: {
    says: 'Handing the document to the parser.',
    stage: 'parse',
    turn: 'ours',
    wait: 'submit',
    tries: 'until the deadline, at most 2 min apart',
  },
  awaitParse: {
    says: "Waiting for the parser's webhook; polling when it stays silent.",
    stage: 'collect',
    turn: 'the parser',
    wait: 'parser',
    rounds: 'Poll',
  },
  collect: {
    says: 'Fetching the result, validating it page by page, storing and chunking it.',
    stage: 'collect',
    turn: 'ours',
    wait: 'collect',
    tries: 'until the deadline, at most 20 s apart',
  },
  embed: {
    says: 'Embedding the chunks in sub-batches, then the read-back proof.',
    stage: 'embed',
    turn: 'the embedder',
    wait: 'embedder',
    tries: 'until the deadline, at most 2 min apart',
  },
  complete: { says: 'Complete: found by search.', stage: 'complete', turn: 'nobody' },
} as const satisfies Record<string, Scene>;

export type SceneName = keyof typeof scenes;

interface Facts {
  readonly deadlineAtMs?: number;
  readonly nextAtMs?: number;
  readonly round?: number;
  readonly lastError?: ErrorCode | undefined;
  readonly parseJobId?: ParseJobId;
}

export interface Story {
  tell(scene: SceneName, facts?: Facts): void;
  /** What the run waits for now, and until when. */
  waiting(): {
    readonly wait: Wait | undefined;
    readonly deadlineAtMs: number | undefined;
    readonly words: string;
  };
  stage(): Stage;
  /** The parse job whose answer is waited for, if that is what is waited for. */
  awaitedJob(): ParseJobId | undefined;
  /** The same scene under another deadline. */
  extend(deadlineAtMs: number): void;
  /** The last words of a run that fails. */
  end(code: ErrorCode): void;
}

/** Of a document that waits for days; the row's timeline has them all. */
const LONGEST_TIMELINE = 100;

export function openStory(): Story {
  let name: SceneName = 'verify';
  let facts: Facts = {};
  let sinceMs = Date.now();
  const told: { at: string; words: string }[] = [];
  const standing = (): Standing => describe(scenes[name], facts, sinceMs);
  const show = () => setCurrentDetails(inWords(scenes[name], standing()));
  setHandler(defineQuery<Standing>(queryNames.explain), standing, {
    description:
      'How the document stands: stage, since when, last error, next step, deadline, turn',
  });
  setHandler(defineQuery<readonly (typeof told)[number][]>(queryNames.timeline), () => told, {
    description: `What the run has done, the last ${LONGEST_TIMELINE} steps`,
  });
  return {
    tell: (scene, said = {}) => {
      if (scene !== name || told.length === 0) sinceMs = Date.now();
      name = scene;
      facts = said;
      told.push({ at: instant(Date.now()), words: scenes[name].says });
      if (told.length > LONGEST_TIMELINE) told.shift();
      show();
    },
    waiting: () => {
      const scene: Scene = scenes[name];
      return { wait: scene.wait, deadlineAtMs: facts.deadlineAtMs, words: scene.says };
    },
    stage: () => scenes[name].stage,
    awaitedJob: () => (name === 'awaitParse' ? facts.parseJobId : undefined),
    extend: (deadlineAtMs) => {
      facts = { ...facts, deadlineAtMs };
      show();
    },
    end: (code) => {
      told.push({ at: instant(Date.now()), words: `Failed: ${code}` });
      const { message, turn, hint } = errorCodes[code];
      setCurrentDetails(`**Failed: ${code}. ${message}**\n\n- Turn: ${turn}\n- Operators: ${hint}`);
    },
  };
}

function describe(
  { says, stage, turn }: Scene,
  { deadlineAtMs, nextAtMs, round, lastError, parseJobId }: Facts,
  sinceMs: number,
): Standing {
  return {
    words: says,
    stage,
    since: instant(sinceMs),
    turn,
    round,
    lastError,
    parseJobId,
    next: instantOf(nextAtMs),
    deadline: instantOf(deadlineAtMs),
  };
}

function inWords(
  { tries, rounds = 'Look' }: Scene,
  { words, lastError, ...standing }: Standing,
): string {
  const lines = {
    Stage: standing.stage,
    Since: standing.since,
    [rounds]: standing.round,
    Tries: tries && `${tries}; which one it is stands under Pending Activities`,
    'Last error': lastError && `${lastError}: ${errorCodes[lastError].message}`,
    Next: standing.next,
    Deadline: standing.deadline,
    'Parse job': standing.parseJobId && `\`${standing.parseJobId}\``,
    Turn: standing.turn,
  };
  const told = Object.entries(lines).flatMap(([term, value]) =>
    value === undefined ? [] : [`- ${term}: ${value}`],
  );
  return [`**${words}**`, told.join('\n')].join('\n\n');
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function instantOf(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : instant(epochMs);
}
