/** Messages a run understands, and the inbox that keeps them. Handlers only store; they never await. */
import { defineSignal, setHandler } from '@temporalio/workflow';
import type { ParseJobId } from '../src/domain/ids.ts';
import { type ParseEvent, signalNames, type UploadExtended } from '../src/domain/run.ts';
import type { Deadlines } from './deadlines.ts';

const confirmUploadSignal = defineSignal(signalNames.confirmUpload);
const parseEventSignal = defineSignal<[ParseEvent]>(signalNames.parseEvent);
const uploadExtendedSignal = defineSignal<[UploadExtended]>(signalNames.uploadExtended);

export interface Inbox {
  /** Confirms are counted, so that one arriving during a look leads to another look. */
  confirms(): number;
  heardFrom(job: ParseJobId): boolean;
  /** A word of a job by another way than its webhook. */
  hear(job: ParseJobId): void;
  /** Takes the word of a job off the table: a later one wakes the wait again. */
  takeWordOf(job: ParseJobId): void;
}

/** Opens the inbox; called before the first await, since a webhook may overtake the answer of its own submit. */
export function openInbox(deadlines: Deadlines): Inbox {
  let confirms = 0;
  const heard = new Set<ParseJobId>();
  setHandler(confirmUploadSignal, () => {
    confirms += 1;
  });
  setHandler(parseEventSignal, ({ parseJobId }) => {
    heard.add(parseJobId);
  });
  setHandler(uploadExtendedSignal, ({ untilMs }) => deadlines.extend('upload', untilMs));
  return {
    confirms: () => confirms,
    heardFrom: (job) => heard.has(job),
    hear: (job) => {
      heard.add(job);
    },
    takeWordOf: (job) => {
      heard.delete(job);
    },
  };
}
