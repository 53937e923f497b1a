/** Where Intake is and who asks: as the environment says, else the local stack of this folder. */
import { setTimeout as delay } from 'node:timers/promises';
import { loadCliConfig } from '../config.ts';
import { IntakeError } from '../domain/errors.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { findLocalStack, stateFolder } from './local-stack.ts';
import { withShortIds } from './short-ids.ts';

export interface Connection {
  readonly url: string;
  readonly token: string;
}

/** A person at a prompt wants to hear soon what is wrong. */
const QUICK_MS = 5_000;
/** Whoever watches documents for hours sits out a deployment. */
const PATIENT_MS = 600_000;

/** For one command, one answer. */
export function connect(): ApiClient {
  return withShortIds(createApiClient({ ...findConnection(), patienceMs: QUICK_MS }));
}

/**
 * For following documents. The first call is a quick one, so that a wrong address or token is told at once; after it,
 * outages are waited out, and looks take half of what the owner may ask in a minute.
 */
export async function connectToFollow(notice: (sentence: string) => void): Promise<ApiClient> {
  const connection = findConnection();
  const { maxRequestsPerMinute } = await createApiClient({
    ...connection,
    patienceMs: QUICK_MS,
  }).limits();
  const patient = connectPatiently(notice);
  const turn = spaced((60_000 / maxRequestsPerMinute) * 2);
  const inTurn =
    <Argument, Answer>(look: (argument: Argument) => Promise<Answer>) =>
    async (argument: Argument) => {
      await turn();
      return look(argument);
    };
  const { document, documents, explain, operator } = patient;
  return {
    ...patient,
    document: inTurn(document),
    documents: inTurn(documents),
    explain: inTurn(explain),
    operator: { ...operator, onTheRoad: inTurn(operator.onTheRoad) },
  };
}

/** For many commands in a row, which may be more than an owner may send a minute. */
export function connectPatiently(notice: (sentence: string) => void): ApiClient {
  return withShortIds(
    createApiClient({
      ...findConnection(),
      patienceMs: PATIENT_MS,
      waiting: () => notice('Intake does not answer or is busy: waiting for it.'),
    }),
  );
}

export function findConnection(
  environment: NodeJS.ProcessEnv = process.env,
  folder: string = stateFolder,
): Connection {
  const { INTAKE_URL, INTAKE_TOKEN } = loadCliConfig(environment);
  // The local stack's token goes to no address but its own.
  if (INTAKE_URL !== undefined) return withToken(INTAKE_URL, INTAKE_TOKEN);
  const stack = findLocalStack(folder);
  if (stack !== undefined) return withToken(stack.url, INTAKE_TOKEN ?? stack.token);
  throw new IntakeError('CONFIGURATION_INVALID', {
    detail:
      'No local stack of this folder is running, and INTAKE_URL is not set.\nStart the stack with `npm start`, or set INTAKE_URL and INTAKE_TOKEN.',
  });
}

function withToken(url: string, token: string | undefined): Connection {
  if (token !== undefined) return { url, token };
  throw new IntakeError('CONFIGURATION_INVALID', {
    detail: 'INTAKE_TOKEN: not set. It is the access token of the person who asks.',
  });
}

/** Lets one call pass at a time, with a gap behind it. */
function spaced(gapMs: number): () => Promise<void> {
  let nextAtMs = 0;
  return async () => {
    const now = Date.now();
    const waitMs = Math.max(0, nextAtMs - now);
    nextAtMs = now + waitMs + gapMs;
    if (waitMs > 0) await delay(waitMs);
  };
}
