/** What somebody filled into a form: a page's text does not show it, least of all a tick in a box. */
import type { FormField } from '@llamaindex/liteparse';

/** One list item for each field that holds something. */
export function formFieldLines(fields: readonly FormField[]): readonly string[] {
  return fields.flatMap((field) => {
    const value = oneLine(field.value ?? '');
    if (field.checked !== undefined) return field.checked ? [`- [x] ${label(field)}`] : [];
    return value === '' || field.type === 'signature' ? [] : [`- ${label(field)}: ${value}`];
  });
}

/** The name that is meant for people, else the last part of the path that is meant for programs. */
function label({ alternateName, name, id }: FormField): string {
  return oneLine(alternateName || (name ?? id).split('.').at(-1) || id);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
