/** How a command speaks: its result on stdout, as words or as JSON alone; everything else on stderr. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { styleText } from 'node:util';
import {
  createDocumentProgress,
  type DocumentProgress,
  type OutputStream,
} from './document-progress.ts';
import { exitCodes } from './exit-codes.ts';
import { plainly, printableJson } from './plain-text.ts';

export interface Terminal {
  /** The result is for a program. */
  readonly json: boolean;
  /** What the process will end with. */
  exitCode: number;
  /** The result. What `inWords` sees cannot steer the terminal; JSON is the facts, or what `inJson` makes of them. */
  answer<Facts>(
    facts: Facts,
    inWords: (clean: Facts) => string,
    inJson?: (facts: Facts) => unknown,
  ): void;
  /** Beside the result. */
  note(text: string): void;
  paint(style: Style, text: string): string;
  /** Of as many documents. */
  progress(documents: number): DocumentProgress;
  /** Somebody is there who could answer. */
  readonly canAsk: boolean;
  /** Ctrl-C and the end of input mean no. */
  confirm(question: string): Promise<boolean>;
  /** Ctrl-C ends the wait, not the work and not the process. */
  waitFor(work: Promise<unknown>): Promise<'done' | 'interrupted'>;
}

export type Style = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export function createTerminal({ stdin, stdout, stderr }: Streams, json: boolean): Terminal {
  return {
    json,
    exitCode: exitCodes.done,
    answer(facts, inWords, inJson = (all) => all) {
      stdout.write(`${json ? printableJson(inJson(facts)) : inWords(plainly(facts))}\n`);
    },
    note: (text) => void stderr.write(`${text}\n`),
    paint: (style, text) => styleText(style, text, { stream: stdout }),
    progress: (documents) => createDocumentProgress(stderr, documents),
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    confirm: (question) => confirm(question, { stdin, stderr }),
    waitFor,
  };
}

async function waitFor(work: Promise<unknown>): Promise<'done' | 'interrupted'> {
  const { promise: interruption, resolve } = Promise.withResolvers<'interrupted'>();
  const interrupt = () => resolve('interrupted');
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const forget = () => process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  // After an interruption they stay: npm, a shell and the terminal may each pass on the same Ctrl-C.
  work.then(forget, forget);
  return Promise.race([work.then(() => 'done' as const), interruption]);
}

async function confirm(
  question: string,
  { stdin, stderr }: Pick<Streams, 'stdin' | 'stderr'>,
): Promise<boolean> {
  const asking = createInterface({ input: stdin, output: stderr });
  const left = once(asking, 'close').then(() => undefined);
  try {
    // Ctrl-C rejects the question, the end of input leaves it open.
    const asked = asking.question(`${question} [y/N] `).catch(() => undefined);
    const answer = await Promise.race([asked, left]);
    if (answer === undefined) stderr.write('\n');
    return /^y(es)?$/i.test(answer?.trim() ?? '');
  } finally {
    asking.close();
  }
}
