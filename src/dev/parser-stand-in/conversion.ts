/** What a converter gives back: LlamaParse's pages, and where they come from. */
import { z } from 'zod';

const page = z.union([
  z.object({ page_number: z.number(), success: z.literal(true), markdown: z.string() }),
  z.object({ page_number: z.number(), success: z.literal(false), error: z.string() }),
]);
export type Page = z.output<typeof page>;

const provenance = z.object({
  engine: z.string(),
  /** `hint`: as the program that wrote the file last laid it out; never to be shown as exact. */
  page_numbers: z.enum(['exact', 'hint', 'none']),
  /** 1-based pages whose text was recognised from their picture. */
  ocr_pages: z.array(z.number()),
  warnings: z.number(),
});

export const conversion = z.object({ pages: z.array(page), provenance });
export type Conversion = z.output<typeof conversion>;

/** Told as soon as it is known how much work there is, so that the deadline fits. */
export type Progress = (known: { readonly pages: number; readonly ocrPages: number }) => void;
