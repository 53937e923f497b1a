/** A document of the test fixtures as Intake would store it: parsed by the stand-in's converters, joined, cut. */
import { extname } from 'node:path';
import { detectTextSearchConfig } from '../../src/chunking/detect-language.ts';
import { splitMarkdown } from '../../src/chunking/split-markdown.ts';
import { parseDocument } from '../../src/dev/parser-stand-in/parse-document.ts';
import type { Chunk } from '../../src/domain/chunk.ts';
import { type MediaType, mediaTypes } from '../../src/domain/media-types.ts';
import type { TokenCounter } from '../../src/embedding/embedder.ts';
import { joinPages } from '../../src/parsing/join-pages.ts';

export interface ReadOptions {
  readonly ocrDataFolder: string;
  readonly counter: TokenCounter;
  readonly maxTokens: number;
}

export interface CutDocument {
  readonly chunks: readonly Chunk[];
  readonly textSearchConfig: string;
}

export async function readDocument(
  path: string,
  { ocrDataFolder, counter, maxTokens }: ReadOptions,
): Promise<CutDocument> {
  const settings = {
    mediaType: mediaTypeOf(path),
    pagesAsked: 2000,
    maxPages: 2000,
    maxMarkdownBytes: 50_000_000,
    allowedFailureRatio: 0.05,
    ocrDataFolder,
  };
  const outcome = await parseDocument(path, settings, () => undefined);
  if (!outcome.ok) throw new Error(`${path}: ${outcome.word}`);
  const pages = outcome.conversion.pages.map(({ page_number: pageNumber, ...page }) => ({
    pageNumber,
    ...page,
  }));
  const { markdown, pageOffsets } = joinPages(pages);
  const chunks = splitMarkdown(markdown, { pages: pageOffsets, counter, maxTokens });
  return { chunks, textSearchConfig: detectTextSearchConfig(markdown) };
}

function mediaTypeOf(path: string): MediaType {
  const types = Object.keys(mediaTypes) as MediaType[];
  const found = types.find((type) => `.${mediaTypes[type].extension}` === extname(path));
  if (!found) throw new Error(`${path}: no media type`);
  return found;
}
