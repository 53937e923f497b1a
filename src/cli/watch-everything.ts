/** Everything that is on its road, live: newcomers join, what has ended is told, and it goes on. One list a round. */
import { setTimeout as delay } from 'node:timers/promises';
import { IntakeError } from '../domain/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { DocumentProgress, Showable } from './document-progress.ts';
import { describeStanding, labelOf } from './document-words.ts';
import { type Journey, journeyOf, sight } from './journey.ts';

/** Whose documents: one's own, or everybody's. */
export interface Crowd {
  /** A page of what is on its road. */
  page(cursor: string | undefined): Promise<{
    readonly documents: readonly Member[];
    readonly nextCursor?: string | undefined;
  }>;
  /** The last word on one that is there no more. */
  end(journey: Journey): Promise<string>;
}

type Member = Showable & { readonly documentId: string; readonly name?: string };

export function ownCrowd(client: ApiClient): Crowd {
  return {
    page: (cursor) => client.documents({ unfinished: 'true', limit: 100, cursor }),
    end: async (journey) => {
      const document = await client.document(journey.documentId ?? '');
      sight(journey, document);
      return describeStanding(document);
    },
  };
}

/** Without names, which are their owners'. */
export function everybody({ operator, explain }: ApiClient): Crowd {
  return {
    page: (cursor) => operator.onTheRoad({ cursor }),
    end: async ({ documentId = '' }) => {
      const { status, lastError } = await explain(documentId);
      const failed = status !== 'complete' && lastError !== undefined;
      return failed ? `${status}: ${lastError.message}` : status;
    },
  };
}

interface Watching {
  readonly progress: DocumentProgress;
  /** Filled as they come. */
  readonly journeys: Journey[];
  /** Goes on when nothing is on its road, until it is interrupted. */
  readonly stay: boolean;
  readonly roundMs: number;
}

export async function watchEverything(
  crowd: Crowd,
  { progress, journeys, stay, roundMs }: Watching,
): Promise<void> {
  const followed = new Map<string, Journey>();
  do {
    const members = await all(crowd);
    for (const member of members) {
      const journey = followed.get(member.documentId) ?? join(member, journeys);
      followed.set(member.documentId, journey);
      journey.standing = member.status;
      progress.show(journey.label, member);
    }
    const present = new Set(members.map(({ documentId }) => documentId));
    for (const [documentId, journey] of followed) {
      if (present.has(documentId)) continue;
      followed.delete(documentId);
      journey.standing = await lastWord(crowd, journey);
      progress.end(journey.label, journey.standing);
    }
    if (stay || followed.size > 0) await delay(roundMs);
  } while (stay || followed.size > 0);
}

function join({ documentId, name }: Member, journeys: Journey[]): Journey {
  const label = name === undefined ? documentId : labelOf({ name, documentId });
  const journey = journeyOf(label, documentId);
  journeys.push(journey);
  return journey;
}

async function all(crowd: Crowd): Promise<readonly Member[]> {
  const members: Member[] = [];
  let cursor: string | undefined;
  do {
    const page = await crowd.page(cursor);
    members.push(...page.documents);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return members;
}

/** One that was deleted has left nothing to read. */
async function lastWord(crowd: Crowd, journey: Journey): Promise<string> {
  try {
    return await crowd.end(journey);
  } catch (error) {
    if (!(error instanceof IntakeError) || error.code !== 'NOT_FOUND') throw error;
    journey.failure = error;
    return 'deleted';
  }
}
