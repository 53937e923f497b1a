/** Messages a run understands, and the inbox that keeps them. Handlers only store; they never await. */
import { defineSignal, setHandler } from '@temporalio/workflow';
import type { ParseJobId } from '../src/domain/ids.ts';
import { type ParseEvent, signalNames } from '../src/domain/run.ts';

const confirmUploadSignal = defineSignal(signalNames.confirmUpload);
const parseEventSignal = defineSignal<[ParseEvent]>(signalNames.parseEvent);

export interface Inbox {
  /** Confirms are counted, so that one arriving during a look leads to another look. */
  confirms(): number;
  heardFrom(job: ParseJobId): boolean;
  /** Takes the word of a job off the table: a later one wakes the wait again. */
  takeWordOf(job: ParseJobId): void;
}

/** Opens the inbox; called before the first await, since a webhook may overtake the answer of its own submit. */
export function openInbox(): Inbox {
  let confirms = 0;
  const heard = new Set<ParseJobId>();
  setHandler(confirmUploadSignal, () => {
    confirms += 1;
  });
  setHandler(parseEventSignal, ({ parseJobId }) => {
    heard.add(parseJobId);
  });
  return {
    confirms: () => confirms,
    heardFrom: (job) => heard.has(job),
    takeWordOf: (job) => {
      heard.delete(job);
    },
  };
}
