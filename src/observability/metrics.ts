/**
 * Every metric of our own, as data: Prometheus' names and base units, and label values from closed lists. Nothing that
 * grows with documents, owners or files is a label. Beside these stand Temporal's own (`temporal_*`) and Node's.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type ErrorCode, errorCodes } from '../domain/errors.ts';
import { isTerminal, statuses } from '../domain/ingestion.ts';

/** What a worker does for a document: one activity each. Collect chunks, embed completes. */
export const steps = [
  'verify',
  'parse',
  'poll',
  'collect',
  'embed',
  'outcome',
  'erase',
  'reconcile',
] as const;
export type Step = (typeof steps)[number];

/** What two parties did at the same time, or in an order that nobody wants. Each is ended somewhere; see ARCHITECTURE.md. */
export const raceKinds = [
  'upload_late', // said to be there, and not there at the first look
  'webhook_early', // spoke of a result that could not be fetched yet
  'webhook_doubled',
  'webhook_late', // its document had ended
  'superseded', // a run wrote for an attempt that another one holds
  'row_absent', // a run works for a row that is gone
  'worker_lost', // fell silent with a document in hand
  'start_lost', // committed, and not started
] as const;
export type RaceKind = (typeof raceKinds)[number];

/** By number: what a call of Temporal may end with. */
export const grpcStatuses = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'],
  ...['ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
  'UNAUTHENTICATED',
];

const seconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600];
const ends = statuses.filter(isTerminal);
const codes = Object.keys(errorCodes) as ErrorCode[];

interface Definition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** The values that a label may have; `undefined` where the program's own text bounds them, as routes. */
  readonly labels: Readonly<Record<string, readonly string[] | undefined>>;
  /** Its series begin at zero instead of with their first event, so that a first event is an increase. */
  readonly fromZero?: true;
  readonly buckets?: readonly number[];
}

export const definitions = {
  intake_file_access_total: {
    type: 'counter',
    help: 'Reads and copies of stored files, by what came of them; absent is an answer.',
    labels: {
      stage: steps,
      outcome: ['success', 'absent', 'forbidden', 'unavailable', 'breaker_open', 'refused'],
    },
    fromZero: true,
  },
  intake_stage_tries_total: {
    type: 'counter',
    help: 'Tries of a stage; a look for bytes that have not come is awaiting.',
    labels: {
      stage: steps,
      try: ['first', 'retry'],
      outcome: ['success', 'awaiting', 'failure', 'cancelled'],
    },
    fromZero: true,
  },
  intake_stage_failures_total: {
    type: 'counter',
    help: 'Failed tries of a stage, by error code.',
    labels: { stage: steps, code: codes },
  },
  intake_stage_duration_seconds: {
    type: 'histogram',
    help: 'From a stage being asked for to its success, queue and retries included.',
    labels: { stage: steps },
    fromZero: true,
    buckets: seconds,
  },
  intake_processing_duration_seconds: {
    type: 'histogram',
    help: 'From the bytes being there to the end of the attempt.',
    labels: { status: ends },
    fromZero: true,
    buckets: seconds,
  },
  intake_attempts_ended_total: {
    type: 'counter',
    help: 'Attempts that ended, by the status they ended with.',
    labels: { status: ends },
    fromZero: true,
  },
  intake_races_total: {
    type: 'counter',
    help: 'Race conditions that were met and ended, by kind.',
    labels: { kind: raceKinds },
    fromZero: true,
  },
  intake_circuit_breaker_transitions_total: {
    type: 'counter',
    help: 'Changes of the circuit breaker round blob reads, by the state that was entered.',
    labels: { state: ['open', 'half-open', 'closed'] },
    fromZero: true,
  },
  intake_circuit_breaker_open: {
    type: 'gauge',
    help: '1 while the circuit breaker round blob reads lets nothing through, 0.5 while it tries one call.',
    labels: {},
  },
  intake_parse_wait_seconds: {
    type: 'histogram',
    help: 'From the parser taking a job to its result being stored.',
    labels: {},
    fromZero: true,
    buckets: seconds,
  },
  intake_parse_results_total: {
    type: 'counter',
    help: 'Stored results of the parser, by what brought the word of them.',
    labels: { heard_by: ['webhook', 'poll'] },
    fromZero: true,
  },
  intake_pages_total: { type: 'counter', help: 'Pages parsed.', labels: {}, fromZero: true },
  intake_chunks_total: { type: 'counter', help: 'Chunks stored.', labels: {}, fromZero: true },
  intake_parser_credits_total: {
    type: 'counter',
    help: 'Credits that the parser charged.',
    labels: {},
    fromZero: true,
  },
  intake_embedding_tokens_total: {
    type: 'counter',
    help: 'Tokens that the embedder charged.',
    labels: {},
    fromZero: true,
  },
  intake_webhook_events_total: {
    type: 'counter',
    help: 'Calls of the webhook, by what came of them.',
    labels: {
      outcome: [
        ...['delivered', 'duplicate', 'closed', 'ignored', 'undelivered'],
        ...['bad_token', 'bad_signature', 'unreadable', 'unknown_job'],
      ],
    },
    fromZero: true,
  },
  intake_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time to the end of the answer, by route pattern.',
    labels: { method: undefined, route: undefined, status: undefined },
    buckets: seconds,
  },
  intake_temporal_request_failures_total: {
    type: 'counter',
    help: "Calls of our client that Temporal refused, each try; the worker's own are temporal_request_failure_total.",
    labels: { status_code: grpcStatuses },
    fromZero: true,
  },
  intake_documents: {
    type: 'gauge',
    help: 'Unfinished documents by status and by what they wait for.',
    labels: { status: statuses, waiting_for: ['nothing', ...codes] },
  },
  intake_documents_oldest_age_seconds: {
    type: 'gauge',
    help: 'How long the oldest document in a status has been in it.',
    labels: { status: statuses },
  },
  intake_task_queue_pollers: {
    type: 'gauge',
    help: 'Pollers that Temporal has seen on our task queue within its last minutes.',
    labels: { task_type: ['workflow', 'activity'] },
  },
  intake_task_queue_backlog: {
    type: 'gauge',
    help: 'Tasks that wait on our task queue for a worker.',
    labels: { task_type: ['workflow', 'activity'] },
  },
  intake_scrape_errors_total: {
    type: 'counter',
    help: 'Sources that could not be asked at a scrape; their metrics are absent from it.',
    labels: { source: ['database', 'temporal', 'sdk'] },
    fromZero: true,
  },
} as const satisfies Readonly<Record<string, Definition>>;

type Definitions = typeof definitions;
type MetricName = keyof Definitions;
type NameOf<Type extends Definition['type']> = {
  [Name in MetricName]: Definitions[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in keyof Definitions[Name]['labels']]: Definitions[Name]['labels'][Label] extends readonly (infer Value extends
    string)[]
    ? Value
    : string;
};

export interface Metrics {
  count<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by?: number): void;
  observe<Name extends NameOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
  ): void;
  set<Name extends NameOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void;
  /** Forgets what a gauge said: what is not set again is gone. */
  clear(name: NameOf<'gauge'>): void;
  /** Adds what Node tells of the process; once, since it watches. */
  watchProcess(): void;
  /** Everything, in Prometheus' text format. */
  render(): Promise<string>;
}

type Instruments = Readonly<Record<string, Counter | Gauge | Histogram>>;

export function createMetrics(): Metrics {
  const registry = new Registry();
  const instruments: Instruments = Object.fromEntries(
    Object.entries<Definition>(definitions).map(([name, definition]) => [
      name,
      instrument(name, definition, registry),
    ]),
  );
  return {
    count: (name, labels, by = 1) => (instruments[name] as Counter).inc({ ...labels }, by),
    observe: (name, labels, value) =>
      (instruments[name] as Histogram).observe({ ...labels }, value),
    set: (name, labels, value) => (instruments[name] as Gauge).set({ ...labels }, value),
    clear: (name) => instruments[name]?.reset(),
    watchProcess: () => collectDefaultMetrics({ register: registry }),
    render: () => registry.metrics(),
  };
}

function instrument(
  name: string,
  { type, help, labels, fromZero, buckets = [] }: Definition,
  registry: Registry,
): Counter | Gauge | Histogram {
  const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
  const begun = fromZero ? combinations(labels) : [];
  if (type === 'gauge') return new Gauge(options);
  if (type === 'histogram') {
    const histogram = new Histogram({ ...options, buckets: [...buckets] });
    for (const combination of begun) histogram.zero(combination);
    return histogram;
  }
  const counter = new Counter(options);
  for (const combination of begun) counter.inc(combination, 0);
  return counter;
}

/** Each value of each label with each of the others. */
function combinations(labels: Definition['labels']): Readonly<Record<string, string>>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sofar, [label, values = []]) =>
      sofar.flatMap((combination) => values.map((value) => ({ ...combination, [label]: value }))),
    [{}],
  );
}
