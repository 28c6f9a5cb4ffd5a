/** What the system refused to do with a file or folder, in words: never a mistake of the program. */
import { getSystemErrorMap } from "node:util";

/** What Node's names of system calls mean for a file; others are shown as they are. */
const CALLS: Readonly<Record<string, string>> = {
  open: "open",
  read: "read",
  write: "write",
  mkdir: "make the folder",
  scandir: "list the folder",
  opendir: "list the folder",
  lstat: "look at",
  stat: "look at",
  rename: "rename",
  unlink: "remove",
  rmdir: "remove the folder",
  rm: "remove",
  copyfile: "copy",
  cp: "copy",
  symlink: "link",
  spawn: "start",
  uv_cwd: "name the current folder",
};

const HINTS: Readonly<Record<string, string>> = {
  EACCES: "Give the user that runs Opportune the right to it, or name another place.",
  EPERM: "Give the user that runs Opportune the right to it, or name another place.",
  EROFS: "The file system is read-only: mount it for writing, or name another place.",
  ENOSPC: "Free space on that disk, or name another place.",
  EDQUOT: "Free space of this user's quota, or name another place.",
  ENOENT: "Correct the path, or make what is missing.",
  ENOTDIR: "Remove or rename the file that stands where a folder is expected.",
  EEXIST: "Remove or rename the file that stands where a folder is expected.",
  EISDIR: "Remove or rename the folder that stands where a file is expected.",
  ELOOP: "Mend the links, which lead in a circle.",
  EMFILE: "Raise how many files a process may have open (`ulimit -n`).",
  ENFILE: "End other processes: the system has no more files to open.",
  ENAMETOOLONG: "Choose shorter names.",
  EIO: "Look at the disk: the system could not read or write it.",
};

/** The system's code of an error, e.g. `ENOENT`; null where the system didn't make it. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
}

/** Why the system refused, in its own words: `permission denied (EACCES)`. */
export function systemReason(error: unknown): string {
  const errno = error instanceof Error && "errno" in error && typeof error.errno === "number" ? error.errno : 0;
  return `${getSystemErrorMap().get(errno)?.[1] ?? "no reason given"} (${systemCode(error) ?? "unknown error"})`;
}

/** The problem that a system error is; null for every other error. */
export function systemProblem(error: unknown): { code: string; message: string; hint: string } | null {
  if (!(error instanceof Error) || !("syscall" in error) || typeof error.syscall !== "string" || !("code" in error)) return null;
  const code = String(error.code);
  const call = error.syscall.split(" ")[0] ?? "";
  const path = "path" in error && typeof error.path === "string" ? ` ${error.path}` : "";
  const message = `The system refused to ${CALLS[call] ?? call}${path}: ${systemReason(error)}.`;
  return { code: "system/refused", message, hint: HINTS[code] ?? "Look at what the system says of it, and try again." };
}
