#!/usr/bin/env python3
"""toolalpaca, chain_of_abstraction, e5_embeddings, rag_testset: calls against their schemas, chains executed again, shares."""
import json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, requests, run, user

WEATHER = [{"name": "forecast", "description": "weather of a day", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}, "required": ["city"]}}]


def toolalpaca():
    writer = lib.Mock([{"match": "Document four", "regex": "API: Broken", "json": json.dumps({"given": "[{\"name\": \"x\"}]"})},
                       {"match": "Document four", "json": json.dumps({"given": json.dumps(WEATHER)})},
                       {"match": "different requests of users", "json": json.dumps({"instructions": ["Will Oslo see rain this weekend?", "Ten days ahead for Bergen, please.", "Tell me a joke about fog."]})}])
    call = lambda a, f="forecast": json.dumps({"thought": "t", "next": "call", "function": f, "arguments": json.dumps(a)})
    assistant = lib.Mock([{"match": "tool: {\"rain\"", "json": json.dumps({"thought": "t", "next": "answer", "answer": "Rain on Sunday."})},
                          {"match": "user: Will Oslo", "json": call({"city": "Oslo", "days": 3})},
                          {"match": "user: Ten days", "json": call({"city": "Bergen", "days": 10})},
                          {"match": "user: Tell me a joke", "json": json.dumps({"thought": "t", "next": "answer", "answer": "No."})}])
    tool = lib.Mock([{"match": "You are the API", "reply": '{"rain": "Sunday"}'}])
    apis = lib.write_rows("apis.jsonl", [{"name": "Sky", "description": "weather anywhere"}, {"name": "Broken", "description": "nothing much"}])
    r = run("toolalpaca", "apis=" + apis, writer=writer.url, assistant=assistant.url, tool=tool.url)
    x, = r.rows()
    equal([m["role"] for m in x["messages"]], ["user", "assistant", "tool", "assistant"], "three roles")
    equal(x["calls"], [{"name": "forecast", "arguments": {"city": "Oslo", "days": 3}, "result": '{"rain": "Sunday"}'}], "the call and what came back")
    schema = x["tools"][0]["parameters"]
    for c in x["calls"]:
        check(set(schema["required"]) <= set(c["arguments"]) and c["arguments"].get("days", 0) <= 7, "a call that does not fit its schema")
    equal(len(requests(tool)), 1, "a call that does not fit is not executed")
    equal(r.summary["rows"]["rejected"], 3, "functions that are none, a call out of range, no call")
    print("toolalpaca: one dialogue; three rejected, each for its reason")


def solve(chain):
    """The chain executed by other means: each result into the text of what follows."""
    values, last = {}, None
    for left, name in re.findall(r"\[([^\]=]+)= *(y\d+)\]", chain):
        last = values[name] = eval(re.sub(r"y\d+", lambda m: str(values[m.group()]), left))
    return last


def chain_of_abstraction():
    gold = lib.read_rows(lib.shared("gsm8k", "train_1000.jsonl"))[:2]
    rows = gold + [{"question": "Two and two?", "answer": "2 + 2 = 4\n#### 4"}, {"question": "How many?", "answer": "1 + 1 = 2\n#### 2"}]
    mock = lib.Mock([{"match": "Natalia", "nth": 1, "reply": "In May [48 * 2 = y1], so [48 + y1 = y2]."}, {"match": "Natalia", "reply": "In May [48 / 2 = y1], together [48 + y1 = y2]."},
                     {"match": "Weng", "reply": "A minute gives [12 / 60 = y1], so [y1 * 50 = y2]."},
                     {"match": "Two and two", "reply": "It is [2 + 2 = 4]."}, {"match": "How many", "reply": "[__import__ = y1] and [1 + 1 = y2]"}])
    r = run("chain_of_abstraction", "rows=" + lib.write_rows("coa.jsonl", rows), writer=mock.url)
    got = r.rows()
    equal(len(got), 2, "chains that execute to the gold answer")
    for x in got:
        check(abs(solve(x["chain"]) - float(x["gold"])) < 1e-6, "the chain does not execute to the gold answer", x["chain"])
        check("y1" not in x["filled"] and not re.search(r"= *[0-9.]+\]", x["chain"]), "placeholders in the chain, values in the filled one")
    natalia = next(x for x in got if "Natalia" in x["question"])
    equal((natalia["attempt"], natalia["values"]["y2"]), (2, 72), "a wrong chain is asked for again; outputs feed later calls")
    check(all("<<" not in user(q) for q in requests(mock)), "the gold answer is shown without its marks")
    print("chain_of_abstraction: 2 chains execute, 2 rejected")


def e5_embeddings():
    same = {"query": "wind mills of the north {{n}}{{hash}}", "positive": "In the north wind drives the stones of the mill.", "negative": "In the north wind drives the stones of the mill."}
    mock = lib.Mock([{"match": "different retrieval tasks", "json": json.dumps({"tasks": ["Given a question {{n}}, find where it is answered.", "Given a claim {{n}}, find what speaks against it."]})},
                     {"match": "Write an example", "every": 7, "json": json.dumps(same)},
                     {"match": "Write an example", "every": 8, "json": json.dumps({**same, "query": "Wo hat der alte Mann {{n}} sein Mehl {{hash}} gekauft und warum?", "positive": "Er hat es in der Mühle am Fluss gekauft, weil es dort am besten ist."})},
                     {"match": "Write an example", "json": json.dumps({"query": "where {{n}} did the man {{hash}} buy {{n}}{{hash}} his flour", "positive": "He bought it at the mill by the river, for it was the best.", "negative": "He bought the river by the flour of a man."})}])
    r = run("e5_embeddings", "topics=" + lib.write_rows("e5.jsonl", [{"topic": t} for t in ("mills", "rivers", "bread")]), "tasks=2", writer=mock.url)
    rows = r.rows()
    count = {}
    for x in rows:
        count[x["kind"]] = count.get(x["kind"], 0) + 1
        check(set(x) >= {"anchor", "positive", "negative"}, "columns of the layout", list(x))
        check(x["positive"] != x["negative"], "the negative is the positive")
        check("Mehl" not in x["query"], "another language than was drawn")
    equal((len(count), len(set(count.values()))), (5, 1), "five kinds of equal share: %r" % count)
    equal(len(asked(mock, "different retrieval tasks")), 12, "brainstorming for four kinds of each topic, none for similarity")
    check(len({x["difficulty"] for x in rows}) == 3 and len({x["clarity"] for x in rows}) == 3, "placeholders vary")
    print("e5_embeddings: %d of 30, %r" % (len(rows), count))


def rag_testset():
    mock = lib.Mock([{"match": "Write a question", "every": 10, "json": '{"question": "What does this passage {{n}} say {{hash}}?", "answer": "It says nothing."}'},
                     {"match": "Write a question", "every": 11, "json": '{"question": "Who {{n}} invented {{hash}} teleportation {{n}}{{hash}}?", "answer": "Zebulon Quagmire invented teleportation in 2931."}'},
                     {"regex": "Passage 1:\n([^\"\n]{3,})", "json": '{"question": "Please what {{n}} happened there {{hash}} because of {{n}}{{hash}} then?", "answer": "{{1}}"}'}])
    r = run("rag_testset", "docs=" + os.path.join(lib.ROOT, "examples/docs/articles"), writer=mock.url)
    rows = r.rows()
    count = {}
    for x in rows:
        count[x["kind"]] = count.get(x["kind"], 0) + 1
        equal(len(x["contexts"]), 1 if x["kind"] == "single_hop" else 2, "contexts of " + x["kind"])
        equal(x["reference_contexts"], x["contexts"], "the layout's column")
        check("Zebulon" not in x["answer"] and "this passage" not in x["question"], "an answer or a question that does not rest on the passages alone")
    check(len(rows) >= 8 and count["single_hop"] == 2 * count["multi_hop_specific"] == 2 * count["multi_hop_abstract"], "shares of 50, 25 and 25 of 100: %r" % count)
    equal(len({x["style"] for x in rows} | {"x"}) >= 4, True, "styles")
    rough = [x["question"] for x in rows if x["style"] == "misspelt"]
    check(any(not re.match(r"Please what \d+ happened there", q) for q in rough), "misspelt questions are rough", rough[:2])
    print("rag_testset: %d questions, %r" % (len(rows), count))


def chunk_queries():
    mock = lib.Mock([{"match": "type into a search engine", "every": 5, "json": '{"queries": ["zzyzx quux {{n}}", "again {{n}} nothing zzyzx"]}'},
                     {"regex": "\n([A-Z][a-z]+) ([a-z]+) ([^\"\n ]+) ([^\"\n ]+) ([^\"\n ]+) ([^\"\n ]+)", "json": '{"queries": ["{{1}} {{3}} {{5}} {{6}} x{{n}}", "x{{n}} {{6}} {{4}} {{1}} {{2}}?"]}'}])
    r = run("chunk_queries", "docs=" + os.path.join(lib.ROOT, "examples/docs/articles"), "k=3", writer=mock.url)
    rows = r.rows()
    check(len(rows) >= 20, "rows", len(rows))
    passages = {x["positive"] for x in rows}
    for x in rows:
        check(1 <= len(x["negatives"]) <= 3 and len(set(x["negatives"])) == len(x["negatives"]), "one to three negatives, each once")
        check(x["positive"] not in x["negatives"], "the positive is no negative")
        check("zzyzx" not in x["query"], "a query that does not find its own passage")
        words = set(re.findall("[a-z0-9]+", x["query"].lower()))
        check(all(words & set(re.findall("[a-z0-9]+", n.lower())) for n in x["negatives"]), "negatives share words with the query")
        check("anchor" in x and "negative" in x, "columns of the layout")
    n_of = lambda rs: sum(len(x["negatives"]) for x in rs)
    strict = run("chunk_queries", "docs=" + os.path.join(lib.ROOT, "examples/docs/articles"), "k=3", "margin=0.1", writer=mock.url).rows()
    check(n_of(strict) < 0.9 * n_of(rows), "a margin of 0.1 leaves out what might be an answer:", n_of(strict), n_of(rows))
    print("chunk_queries: %d queries over %d passages, %d negatives; at a margin of 0.1 %d" % (len(rows), len(passages), n_of(rows), n_of(strict)))


main([toolalpaca, chain_of_abstraction, e5_embeddings, rag_testset, chunk_queries], globals())
