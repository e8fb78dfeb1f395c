#!/usr/bin/env python3
"""Writes a manual page for sprint and for each of its commands, from what `sprint --help` says.

  launch/manual.py SPRINT FOLDER

SPRINT is the program; FOLDER, e.g. share/man/man1, receives sprint.1, sprint-train.1, sprint-bench-train.1 and so on.
"""
import json
import pathlib
import subprocess
import sys


def roff(text):
    """The text as roff shows it: hyphens that can be copied, and no line that is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def bold(text):
    return f"\\fB{roff(text)}\\fR"


def italic(text):
    return f"\\fI{roff(text)}\\fR"


def spelling(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def form(argument, names):
    """An argument with its value, as a user types it."""
    value = [italic(argument["valueName"])] if argument["kind"] != "flag" else []
    return " ".join([", ".join(bold(spelling(name)) for name in names)] * bool(names) + value)


def synopsis(argument):
    text = form(argument, [argument["preferredName"]] if "preferredName" in argument else [])
    text = f"[{text}]" if argument["isOptional"] else text
    return text + " ..." * argument["isRepeating"]


def description(argument):
    lines = ["." + "TP", form(argument, argument.get("names", [])), roff(argument.get("abstract", ""))]
    if argument.get("allValues"):
        lines.append(f"One of {', '.join(map(bold, argument['allValues']))}.")
    if argument.get("defaultValue"):
        lines.append(f"The default is {bold(argument['defaultValue'])}.")
    return lines


def example(lines):
    return [".PP", ".nf", ".RS 4"] + [roff(line) for line in lines] + [".RE", ".fi"]


def split(discussion):
    """The paragraphs of a discussion, and its examples, each with the lines that a backslash continues it on."""
    paragraphs, examples = [], []
    for line in discussion.splitlines():
        if line.startswith("Example: "):
            examples.append([line.removeprefix("Example: ")])
        elif examples and examples[-1][-1].endswith("\\"):
            examples[-1].append(line)
        else:
            paragraphs.append(line)
    return paragraphs, examples


def status(codes):
    """The exit codes, from a sentence such as `Exit codes: 0 success; 2 a mistake.`"""
    parts = [part.split(" ", 1) for part in codes.removeprefix("Exit codes: ").split("; ")]
    return [line for code, meaning in parts for line in (".TP", bold(code), roff(meaning.rstrip(".") + "."))]


def section(title, lines):
    return [f".SH {title}"] + lines if lines else []


def shown(parts):
    return [part for part in parts if part["shouldDisplay"] and part.get("commandName") != "help"]


def page(command, path, version, codes):
    """The page of a command; `path` are the words that start it, `codes` is what its exit codes mean."""
    name, arguments = "-".join(path), shown(command.get("arguments", []))
    commands = shown(command.get("subcommands", []))
    paragraphs, examples = split(command.get("discussion", ""))
    paragraphs = [line for line in paragraphs if line != codes]
    others = [path[:-1]] * (len(path) > 1) + [path + [other["commandName"]] for other in commands]
    usage = [bold(" ".join(path))] + [synopsis(argument) for argument in arguments]
    lines = [f'.TH {name.upper()} 1 "" "{version}" "sprint"', ".nh", ".ad l"]
    lines += section("NAME", [f"{roff(name)} \\- {roff(command['abstract'])}"])
    lines += section("SYNOPSIS", usage + [italic("command") + " ..."] * bool(commands))
    lines += section("DESCRIPTION", [part for text in paragraphs for part in (".PP", roff(text))])
    lines += section("COMMANDS", [
        line for other in commands for line in (".TP", bold(other["commandName"]), roff(other["abstract"]))])
    lines += section("OPTIONS", [line for argument in arguments for line in description(argument)])
    lines += section("EXIT STATUS", status(codes))
    lines += section("EXAMPLES", [line for lines in examples for line in example(lines)])
    lines += section("SEE ALSO", [", ".join(f"{bold('-'.join(other))}(1)" for other in others)] * bool(others))
    return "\n".join(lines) + "\n"


def write(command, path, version, codes, folder):
    (folder / f"{'-'.join(path)}.1").write_text(page(command, path, version, codes), encoding="utf-8")
    for other in shown(command.get("subcommands", [])):
        write(other, path + [other["commandName"]], version, codes, folder)


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(sprint, folder):
    root = json.loads(output(sprint, "--experimental-dump-help"))["command"]
    codes = next(line for line in root["discussion"].splitlines() if line.startswith("Exit codes: "))
    version = " ".join(output(sprint, "--version").split()[:2])
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write(root, [root["commandName"]], version, codes, folder)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
