/** `intake explain`: why a document stands where it stands, on one screen. */
import { Command } from 'commander';
import type { Turn } from '../../domain/errors.ts';
import { isTerminal } from '../../domain/ingestion.ts';
import type { Button } from '../../domain/operators.ts';
import type { Explanation } from '../api-client.ts';
import { documentId } from '../arguments.ts';
import { connect } from '../connection.ts';
import { formatSpan, formatTime, ordinal, styleOf } from '../document-words.ts';
import { examples } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export function explainCommand(terminal: Terminal): Command {
  return new Command('explain')
    .summary('say why a document stands where it stands')
    .description(
      'One screen: stage and since when, tries, last cause, next try, place in line, deadline, who must act, and what to type. With an operator’s token, of anybody’s document.',
    )
    .argument('<id>', 'document id', documentId)
    .option('--json', 'the API’s answer on stdout, and nothing else')
    .addHelpText('after', examples({ 'intake explain ID': 'why is it stuck?' }))
    .action(async (id: string) => {
      terminal.answer(await connect().explain(id), (facts) => describe(facts, terminal.paint));
    });
}

function describe(facts: Explanation, paint: Terminal['paint']): string {
  const { documentId: id, status, since, tries, lastError, line, turn, run } = facts;
  const rows: Readonly<Record<string, string | undefined>> = {
    Stage: facts.stage,
    Since: moment(since),
    Doing: facts.words,
    Attempt: `${facts.attempt}`,
    Tries:
      tries && `${ordinal(tries.number)} of ${tries.most ?? 'as many as fit before the deadline'}`,
    'Last cause': lastError && `${lastError.code}: ${lastError.message}`,
    'That was': lastError?.at && moment(lastError.at),
    Operators: lastError && isOurs(lastError.turn) ? lastError.hint : undefined,
    'Next try': facts.nextTryAt && moment(facts.nextTryAt),
    'In line': line && `${ordinal(line.ahead + 1)} of ${line.total} with this status`,
    Deadline: facts.deadlineAt && moment(facts.deadlineAt),
    'Must act': turn ? who[turn] : 'Nobody',
    Button: buttons(facts),
    Run: runWords(run),
  };
  const told = Object.entries(rows).flatMap(([term, words]) =>
    words === undefined ? [] : [`  ${paint('dim', term.padEnd(10))}  ${words}`],
  );
  const waits = !isTerminal(status) && lastError !== undefined;
  const style = waits ? 'yellow' : styleOf({ status, waiting: undefined });
  return [`${paint('bold', id)}  ${paint(style, status)}`, ...told].join('\n');
}

/** Whoever asks may be none of them. */
const who = {
  user: 'The owner',
  us: 'Those who run Intake',
  provider: 'The provider',
} as const satisfies Record<Turn, string>;

/** When, and how far that is from now. */
function moment(at: string): string {
  const ms = Date.parse(at) - Date.now();
  return `${formatTime(at)} (${ms > 0 ? `in ${formatSpan(ms)}` : `${formatSpan(-ms)} ago`})`;
}

function isOurs(turn: Turn): boolean {
  return turn !== 'user';
}

const typed = {
  upload: () => 'intake ingest FILE',
  poll: (id) => `intake poll ${id} --actor NAME`,
  extend: (id) => `intake extend ${id} --for 2h --actor NAME`,
  fail: (id) => `intake fail ${id} --reason SENTENCE --actor NAME`,
  cancel: (id) => `intake cancel ${id}`,
  retry: (id) => `intake retry ${id}`,
} as const satisfies Record<Button, (id: string) => string>;

function buttons({ documentId: id, buttons: [first, ...others] }: Explanation): string {
  if (first === undefined) return 'none is needed';
  const also = others.length === 0 ? '' : `   (or: ${others.join(', ')})`;
  return `${typed[first](id)}${also}`;
}

const runStates = {
  'not started': 'not started yet: the outbox sweep does it within seconds',
  delayed: 'in its start delay: it waits for the upload, and no update may be sent to it',
  open: 'open',
  closed: 'closed',
  unknown: 'Temporal does not answer',
} as const satisfies Record<Explanation['run']['state'], string>;

function runWords({ state, workerAnswers, url }: Explanation['run']): string {
  const worker = { true: 'a worker answers', false: 'NO WORKER ANSWERS', undefined: undefined };
  return [runStates[state], worker[`${workerAnswers}`], url].filter(Boolean).join('; ');
}
