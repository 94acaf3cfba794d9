/** Code points of a note's beginning that lists have at hand; also the part that its tasks are counted in. */
export const previewLength = 2000;
