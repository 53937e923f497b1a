/** Shapes of LlamaParse v2 answers as far as Intake reads them; whatever else they hold is ignored. */
import { z } from 'zod';
import type { ParsedPage } from '../domain/chunk.ts';

const id = z.string().min(1).max(200);
const pageNumber = z.number().int().positive();

export const createdFile = z.object({ id });
export const createdJob = z.object({ id });

function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_page_token: z.string().nullish() });
}

export const fileList = listOf(z.object({ id, external_file_id: z.string().nullish() }));
export const jobList = listOf(
  z.object({
    id,
    created_at: z.string().nullish(),
    user_metadata: z.record(z.string(), z.unknown()).nullish(),
  }),
);

const job = z.object({
  status: z.enum(['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED']),
  error_message: z.string().nullish(),
  usage: z.object({ credits: z.number().nonnegative().nullish() }).nullish(),
});

export const jobAnswer = z.object({ job });
export type JobAnswer = z.output<typeof job>;

const markdownPage = z.discriminatedUnion('success', [
  z.object({ page_number: pageNumber, success: z.literal(true), markdown: z.string() }).transform(
    (page): ParsedPage => ({
      pageNumber: page.page_number,
      success: true,
      markdown: page.markdown,
    }),
  ),
  z.object({ page_number: pageNumber, success: z.literal(false), error: z.string() }).transform(
    (page): ParsedPage => ({
      pageNumber: page.page_number,
      success: false,
      error: page.error,
    }),
  ),
]);

const textPage = z.object({ page_number: pageNumber, text: z.string() }).transform(
  (page): ParsedPage => ({
    pageNumber: page.page_number,
    success: true,
    markdown: page.text,
  }),
);

export const markdownAnswer = z
  .object({ job, markdown: z.object({ pages: z.array(markdownPage) }) })
  .transform((answer) => ({ job: answer.job, pages: answer.markdown.pages }));
export const textAnswer = z
  .object({ job, text: z.object({ pages: z.array(textPage) }) })
  .transform((answer) => ({ job: answer.job, pages: answer.text.pages }));
export type PagesAnswer = z.output<typeof markdownAnswer>;
