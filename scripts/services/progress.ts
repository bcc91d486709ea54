/** Tells a person what is being done, one line without a line end; commands write it to stderr. */
export type Progress = (line: string) => void;
