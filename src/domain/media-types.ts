/** What Intake accepts. A file's type is what its bytes say; names and headers are only claims. */
export const mediaTypes = {
  'application/pdf': { extension: 'pdf' },
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': { extension: 'docx' },
  'text/html': { extension: 'html' },
  'text/markdown': { extension: 'md' },
  'text/plain': { extension: 'txt' },
} as const satisfies Record<string, { readonly extension: string }>;

export type MediaType = keyof typeof mediaTypes;

export function isMediaType(text: string): text is MediaType {
  return Object.hasOwn(mediaTypes, text);
}
