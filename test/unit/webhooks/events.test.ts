import { describe, expect, test } from 'vitest';
import { readEvent } from '../../../src/webhooks/events.ts';

const now = new Date('2026-11-24T10:00:00Z');
const event = {
  event_id: '7d1c3c0e-98a4-4f0e-a6f1-0d3a1f7f6b21',
  event_type: 'parse.success',
  timestamp: now.getTime() / 1000 - 0.25,
  data: { id: 'x', job_id: 'pjb-7d1c3c0e-98a4-4f0e-a6f1-0d3a1f7f6b21' },
};
const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));
const read = (value: unknown) => readEvent(bytes(value), now);

test('an object and a string that holds one are the same event', () => {
  const expected = { eventId: event.event_id, ending: 'parse.success' };
  expect(read(event)).toEqual(expected);
  expect(read(JSON.stringify(event))).toEqual(expected);
});

test('what the vendor adds later does not matter', () => {
  expect(read({ ...event, project: 'p', data: { ...event.data, more: [1] } })).toBeDefined();
});

test.each(['parse.success', 'parse.error', 'parse.partial_success', 'parse.cancelled'])(
  '%s ends a job',
  (type) => {
    expect(read({ ...event, event_type: type })?.ending).toBe(type);
  },
);

test.each(['parse.pending', 'parse.running', 'parse.done', 'extract.success'])(
  '%s is an event that ends none',
  (type) => {
    expect(read({ ...event, event_type: type })).toEqual({
      eventId: event.event_id,
      ending: undefined,
    });
  },
);

describe('time', () => {
  const at = (seconds: number) => read({ ...event, timestamp: now.getTime() / 1000 + seconds });
  test.each([0, -3599, 3599, -3600])('%d s from now is told in time', (seconds) => {
    expect(at(seconds)).toBeDefined();
  });
  test.each([-3601, 3601, -31_536_000])('%d s from now is refused', (seconds) => {
    expect(at(seconds)).toBeUndefined();
  });
  test('in milliseconds is another time', () => {
    expect(read({ ...event, timestamp: now.getTime() })).toBeUndefined();
  });
});

describe('what is no event is refused', () => {
  test.each([
    ['no id', { ...event, event_id: undefined }],
    ['an empty id', { ...event, event_id: '' }],
    ['an id that the database refuses', { ...event, event_id: 'a\u0000b' }],
    ['an id of two lines', { ...event, event_id: 'a\nb' }],
    ['an endless id', { ...event, event_id: 'x'.repeat(201) }],
    ['no type', { ...event, event_type: undefined }],
    ['no time', { ...event, timestamp: undefined }],
    ['time in words', { ...event, timestamp: now.toISOString() }],
    ['no job', { ...event, data: {} }],
    ['no data', { ...event, data: undefined }],
    ['a list', [event]],
    ['null', null],
    ['a number', 5],
    ['a string of a string', JSON.stringify(JSON.stringify(event))],
    ['a string that is no JSON', 'parse.success'],
  ])('%s', (_what, value) => {
    expect(read(value)).toBeUndefined();
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['half an object', Buffer.from('{"event_id":')],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('%s', (_what, body) => {
    expect(readEvent(body, now)).toBeUndefined();
  });
});
