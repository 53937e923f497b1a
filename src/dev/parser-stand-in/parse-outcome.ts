/** What passes between the stand-in and the process that reads one document. */
import { z } from 'zod';
import { type MediaType, mediaTypes } from '../../domain/media-types.ts';
import { conversion } from './conversion.ts';

export const parseSettings = z.object({
  mediaType: z.enum(Object.keys(mediaTypes) as MediaType[]),
  /** Pages that are read; the rest is left out without a word, as the vendor does. */
  pagesAsked: z.number(),
  /** A document of more pages is refused. */
  maxPages: z.number(),
  maxMarkdownBytes: z.number(),
  /** Share of pages that may fail, 0 to 1. */
  allowedFailureRatio: z.number(),
  /** Folder that holds `eng.traineddata`; without it pictures stay unread. */
  ocrDataFolder: z.string().optional(),
});
export type ParseSettings = z.output<typeof parseSettings>;

export const parseProgress = z.object({ pages: z.number(), ocrPages: z.number() });

export const parseOutcome = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), conversion }),
  /** What `error_message` will say. */
  z.object({ ok: z.literal(false), word: z.string() }),
]);
export type ParseOutcome = z.output<typeof parseOutcome>;
