#!/usr/bin/env python3
"""toolalpaca, chain_of_abstraction, e5_embeddings, rag_testset: calls against their schemas, chains executed again, shares."""
import json, os, re, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scripted import asked, check, equal, lib, main, rejects, requests, run, sources, user, varies

WEATHER = [{"name": "forecast", "description": "weather of a day", "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "maximum": 7}}, "required": ["city"]}}]

LOOKUP = [{"name": "lookup", "description": "finds an entry", "parameters": {"type": "object", "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "minimum": 1}}, "required": ["query"]}}]


def toolalpaca():
    writer = lib.Mock([{"match": "Document four", "regex": "API: Broken", "json": json.dumps({"given": "[{\"name\": \"x\"}]"})},
                       {"match": "Document four", "regex": "API: Sky", "json": json.dumps({"given": json.dumps(WEATHER)})},
                       {"match": "Document four", "json": json.dumps({"given": json.dumps(LOOKUP)})},
                       {"match": "different requests of users", "regex": "lookup", "json": json.dumps({"instructions": ["Please look up number {{n}} of {{hash}} for me.", "What is {{hash}} after {{n}} days and {{n}} nights?", "Where is the nearest one of them to be found right now?"]})},
                       {"match": "different requests of users", "json": json.dumps({"instructions": ["Will Oslo see rain this weekend?", "Ten days ahead for Bergen, please.", "Tell me a joke about fog."]})}])
    call = lambda a, f="forecast": json.dumps({"thought": "t", "next": "call", "function": f, "arguments": json.dumps(a)})
    assistant = lib.Mock([{"match": "user: Where is", "json": call({"query": "again"}, "lookup")}, {"match": "lookup", "every": 13, "json": json.dumps({"thought": "t", "next": "answer"})}, {"match": "lookup", "every": 14, "json": json.dumps({"thought": "t", "next": "call", "function": "lookup", "arguments": "no object"})},
                          {"match": "tool: {\"rain\"", "json": json.dumps({"thought": "t", "next": "answer", "answer": "Rain on Sunday."})},
                          {"match": "user: Will Oslo", "json": call({"city": "Oslo", "days": 3})},
                          {"match": "user: Ten days", "json": call({"city": "Bergen", "days": 10})},
                          {"match": "user: Tell me a joke", "json": json.dumps({"thought": "t", "next": "answer", "answer": "No."})},
                          {"match": "tool: {\"found\"", "json": json.dumps({"thought": "t", "next": "answer", "answer": "It was found."})},
                          {"match": "user: What is", "every": 4, "json": call({"query": "x", "limit": 0}, "lookup")}, {"match": "lookup", "json": call({"query": "x", "limit": 2}, "lookup")}])
    tool = lib.Mock([{"match": "You are the API Sky", "reply": '{"rain": "Sunday"}'}, {"match": "You are the API", "reply": '{"found": 1}'}])
    apis = lib.write_rows("apis.jsonl", [{"name": "Sky", "description": "weather anywhere"}, {"name": "Broken", "description": "nothing much"}] + sources.apis(12))
    r = run("toolalpaca", "apis=" + apis, writer=writer.url, assistant=assistant.url, tool=tool.url)
    everything = r.rows()
    for y in everything:
        equal([(json.loads(m["tool_calls"][0]["function"]["arguments"]), m["tool_calls"][0]["function"]["name"]) for m in y["messages"] if "tool_calls" in m], [(c["arguments"], c["name"]) for c in y["calls"]], "calls stand beside the text")
        equal([m["content"] for m in y["messages"] if m["role"] == "tool"], [c["result"] for c in y["calls"]], "each with its result")
        check("<call>" not in json.dumps(y["messages"]) and y["messages"][-1]["content"] == y["final"], "no marker in a message")
        for c in y["calls"]:
            p = {t["function"]["name"]: t["function"]["parameters"] for t in y["tools"]}[c["name"]]
            check(set(p["required"]) <= set(c["arguments"]) <= set(p["properties"]) and c["arguments"].get("limit", 1) >= 1, "a call that does not fit its schema", c)
    x, = [y for y in everything if y["name"] == "Sky"]
    equal([m["role"] for m in x["messages"]], ["user", "assistant", "tool", "assistant"], "three roles")
    equal(x["calls"], [{"name": "forecast", "arguments": {"city": "Oslo", "days": 3}, "result": '{"rain": "Sunday"}'}], "the call and what came back")
    equal(len(asked(assistant, "user: Will Oslo see rain")), 2, "who has answered is not asked again")
    schema = x["tools"][0]["function"]["parameters"]
    for c in x["calls"]:
        check(set(schema["required"]) <= set(c["arguments"]) and c["arguments"].get("days", 0) <= 7, "a call that does not fit its schema")
    equal(len(asked(tool, "You are the API Sky")), 1, "a call that does not fit is not executed")
    rejects("toolalpaca", "check_schema", "novel", "neither_call_nor_answer", "arguments_are_no_object", "check_calls", "no_answer", "check_calls")
    check(r.summary["rows"]["rejected"] >= 4, "functions that are none, calls out of range, no call")
    return "%d of %d calls fit their schemas; %d dialogues rejected" % (sum(len(y["calls"]) for y in everything), sum(len(y["calls"]) for y in everything), r.summary["rows"]["rejected"])


def solve(chain):
    """The chain executed by other means: each result into the text of what follows."""
    values, last = {}, None
    for left, name in re.findall(r"\[([^\]=]+)= *(y\d+)\]", chain):
        last = values[name] = eval(re.sub(r"y\d+", lambda m: str(values[m.group()]), left))
    return last


def abstracted(problem):
    """The gold answer's own sums as a chain with names for results."""
    names, out = {}, []
    for left, value in re.findall(r"<<([^=<>]+)=([^<>]+)>>", problem["answer"]):
        for v, name in names.items():
            left = re.sub(r"(?<![0-9.])%s(?![0-9.])" % re.escape(v), name, left)
        names[value] = "y%d" % (len(out) + 1)
        out.append("[%s = %s]" % (left, names[value]))
    return "So " + ", then ".join(out) + "."


def chain_of_abstraction():
    rows = [{"question": "Natalia sold clips to 48 of her friends in April, and half as many in May. How many altogether?", "answer": "48/2 = <<48/2=24>>24\n48+24 = <<48+24=72>>72\n#### 72"},
            {"question": "Weng earns 12 an hour. How much did 50 minutes bring her?", "answer": "12/60 = <<12/60=0.2>>0.2\n0.2 x 50 = 10\n#### 10"}] + [{"question": "In words?", "answer": "many\n#### many"}, {"question": "Weng earns 12 an hour. How much did 50 minutes bring her?", "answer": "12/60 = <<12/60=0.2>>0.2\n0.2 x 50 = 10\n#### 10"}, {"question": "Two and two?", "answer": "2 + 2 = 4\n#### 4"}, {"question": "How many?", "answer": "1 + 1 = 2\n#### 2"}]
    real = [p for p in sources.problems(30) if not re.search("Natalia|Weng|How many[?]", p["question"])]
    rows += real
    mock = lib.Mock([{"match": "Natalia", "nth": 1, "reply": "In May [48 * 2 = y1], so [48 + y1 = y2]."}, {"match": "Natalia", "reply": "In May [48 / 2 = y1], together [48 + y1 = y2]."},
                     {"match": "Weng", "reply": "A minute gives [12 / 60 = y1], so [y1 * 50 = y2]."},
                     {"match": "Two and two", "reply": "It is [2 + 2 = 4]."}, {"match": "How many?", "reply": "[__import__ = y1] and [1 + 1 = y2]"}] + [{"match": p["question"], "reply": abstracted(p)} for p in real])
    r = run("chain_of_abstraction", "rows=" + lib.write_rows("coa.jsonl", rows), writer=mock.url)
    got = r.rows()
    equal(sorted(x["question"] for x in rows[:2] if x["question"] in {y["question"] for y in got}), [rows[0]["question"], rows[1]["question"]], "planted chains that execute to the gold answer")
    check(len(got) > len(rows) / 2, "chains", len(got))
    for x in got:
        check(abs(solve(x["chain"]) - float(x["gold"])) < 1e-6, "the chain does not execute to the gold answer", x["chain"])
        check("y1" not in x["filled"] and not re.search(r"[.]0\]", x["filled"]) and not re.search(r"= *[0-9.]+\]", x["chain"]), "placeholders in the chain, values in the filled one")
    rejects("chain_of_abstraction", "no_number", "not_the_gold_answer", "dedup_exact")
    weng = asked(mock, "Weng earns 12 an hour")
    check(len(weng) == 2 and all(x["attempt"] == 1 for x in got if "Natalia" not in x["question"]), "a right chain is not asked for again", len(weng))
    natalia = next(x for x in got if "Natalia" in x["question"])
    equal((natalia["attempt"], natalia["values"]["y2"]), (2, 72), "a wrong chain is asked for again; outputs feed later calls")
    check(all("<<" not in user(q) for q in requests(mock)), "the gold answer is shown without its marks")
    return "%d of %d chains, executed again, end in the gold answer; %d rejected" % (len(got), len(got), r.summary["rows"]["rejected"])


def e5_embeddings():
    topics = ["mills", "rivers", "bread", *sources.topics(9, "books/academic_subjects.json")]
    same = {"query": "wind mills of the north {{n}}{{hash}}", "positive": "In the north wind drives the stones of the mill.", "negative": "In the north wind drives the stones of the mill."}
    mock = lib.Mock([{"match": "different retrieval tasks", "json": json.dumps({"tasks": ["Given a question {{n}}, find where it is answered.", "Given a claim {{n}}, find what speaks against it."]})},
                     {"match": "Write an example", "every": 7, "json": json.dumps(same)}, {"match": "Write an example", "every": 11, "json": json.dumps({"query": " ", "positive": "p", "negative": "n"})},
                     {"match": "Write an example", "every": 13, "json": json.dumps({"query": "the mill by the river {{n}}", "positive": "It is the mill by the river {{n}} that grinds at night.", "negative": "It is the river."})},
                     {"match": "Write an example", "every": 9, "json": json.dumps({"query": "which of the two brothers from the old mill had bought the flour", "positive": "It was the elder one of them who had been at the market.", "negative": "The mill had two stones."})},
                     {"match": "Write an example", "every": 8, "json": json.dumps({**same, "query": "Wo hat der alte Mann {{n}} sein Mehl {{hash}} gekauft und warum?", "positive": "Er hat es in der Mühle am Fluss gekauft, weil es dort am besten ist."})},
                     {"match": "Write three sentences", "json": json.dumps({"query": "the man {{hash}} has bought {{n}} sacks of flour from the mill", "positive": "It was at the mill that he got his flour, as he told us {{hash}}.", "negative": "the man {{hash}} has sold {{n}} sacks of flour to the mill"})},
                     {"match": "its translation into the language", "every": 4, "json": json.dumps({"query": "the man with the flour {{hash}} was seen {{n}} at the old mill", "positive": "this is English again {{n}}, as it was before and will be.", "negative": "and so is this one, for it was not put into words of theirs"})},
                     {"match": "its translation into the language", "every": 5, "json": json.dumps({"query": "der Mann mit dem Mehl {{hash}} wurde an der alten M\u00fchle gesehen {{n}}", "positive": "Der Mann war es, den man an der M\u00fchle gesehen hat, mit dem Mehl.", "negative": "Der Mann war es nicht, den man dort mit dem Mehl gesehen hat."})},
                     {"match": "its translation into the language", "json": json.dumps({"query": "the woman {{hash}} was seen {{n}} at the old mill with her bread", "positive": "Die Frau wurde mit ihrem Brot an der alten M\u00fchle gesehen, und das war {{hash}}.", "negative": "Die Frau wurde ohne ihr Brot an der neuen M\u00fchle gesehen, und das war {{hash}}."})},
                     {"match": "Write an example", "json": json.dumps({"query": "where {{n}} did the man {{hash}} buy {{n}}{{hash}} his flour", "positive": "He bought it at the mill by the river, for it was the best.", "negative": "He bought the river by the flour of a man."})}])
    r = run("e5_embeddings", "topics=" + lib.write_rows("e5.jsonl", [{"topic": t} for t in topics]), "tasks=2", "translations=[de]", writer=mock.url)
    rows = r.rows()
    count = {}
    for x in rows:
        count[x["kind"]] = count.get(x["kind"], 0) + 1
        check(set(x) >= {"anchor", "positive", "negative"}, "columns of the layout", list(x))
        check(x["positive"] != x["negative"], "the negative is the positive")
        check("Mehl" not in x["query"], "another language than was drawn")
    equal((len(count), len(set(count.values()))), (6, 1), "six kinds of equal share: %r" % count)
    equal(len(asked(mock, "different retrieval tasks")), 4 * len(topics), "brainstorming for four kinds of each topic, none for likeness and bitext")
    for x in rows:
        equal((x["lang"], x["lang_positive"]), ("en", "de" if x["kind"] == "bitext" else "en"), "languages of the query and of what answers it")
        check(x["kind"] != "bitext" or (x["query"].startswith("the woman") and x["positive"].startswith("Die Frau")), "a translation that is none", x)
    rejects("e5_embeddings", "empty", "negative_is_positive", "positive_repeats_query", "language", "language", "dedup_minhash", "balance")
    same = run("e5_embeddings", "topics=" + lib.write_rows("e5b.jsonl", [{"topic": "mills"}]), "tasks=1", "translations=[en]", writer=mock.url)
    check(all(x["kind"] != "bitext" for x in same.rows()), "a sentence is no translation of itself")
    rejects("e5_embeddings", "same_language")
    for field in ("query_length", "length"):
        varies(rows, field, 3)
    check(len({x["difficulty"] for x in rows}) == 3 and len({x["clarity"] for x in rows}) == 3, "placeholders vary")
    return "%d rows, each of six kinds of task %d times; 0 negatives equal their positive" % (len(rows), min(count.values()))


def rag_testset():
    mock = lib.Mock([{"match": "Which themes", "every": 3, "json": '{"themes": ["Rivers", "rivers", "the {{hash}} of it"]}'}, {"match": "Which themes", "json": '{"themes": ["people", "science"]}'},
                     {"regex": "Passage 1:\n([^\"\n]{3,})", "match": "Write a question", "every": 13, "json": '{"question": "Please what happened there because of it then?", "answer": "{{1}}"}'},
                     {"match": "Write a question", "every": 10, "json": '{"question": "What does this passage {{n}} say {{hash}}?", "answer": "It says nothing."}'},
                     {"match": "Write a question", "every": 11, "json": '{"question": "Who {{n}} invented {{hash}} teleportation {{n}}{{hash}}?", "answer": "Zebulon Quagmire invented teleportation in 2931."}'},
                     {"regex": "Passage 1:\n([^\"\n]{3,})", "json": '{"question": "Please what {{n}} happened there {{hash}} because of {{n}}{{hash}} then?", "answer": "{{1}}"}'}])
    human = lib.write_rows("people.jsonl", [{"question": x["instruction"]} for x in sources.instructions(60)])
    docs = sources.docs_with({"twin.md": sources.text_of(os.path.join(sources.docs(), "alps.md"))})
    r = run("rag_testset", "docs=" + docs, "--against", human, writer=mock.url)
    rejects("rag_testset", "dedup_exact", "collect", "leans_on_passage", "in_source", "dedup_minhash", "balance")
    sizes = {x["chunks"]: x for x in r.rows("chunk_sizes.jsonl")}
    check(set(sizes) == {64, 256, 1024} and sizes[64]["context_recall"] <= sizes[1024]["context_recall"] and all(x["questions"] == len(r.rows()) for x in sizes.values()), "the same set under three sizes of chunk", sizes)
    check("AUC" in open(os.path.join(r.out, "report.html")).read(), "how far the set is from people's questions")
    themed = [x for x in r.rows() if x["kind"] == "multi_hop_abstract"]
    check(all(len(set(x["contexts"])) == 2 for x in themed), "two different passages of a theme")
    rows = r.rows()
    count = {}
    for x in rows:
        count[x["kind"]] = count.get(x["kind"], 0) + 1
        equal(len(x["contexts"]), 1 if x["kind"] == "single_hop" else 2, "contexts of " + x["kind"])
        equal(x["reference_contexts"], x["contexts"], "the layout's column")
        check("Zebulon" not in x["answer"] and "this passage" not in x["question"], "an answer or a question that does not rest on the passages alone")
    check(len(rows) >= 8 and count["single_hop"] == 2 * count["multi_hop_specific"] == 2 * count["multi_hop_abstract"], "shares of 50, 25 and 25 of 100: %r" % count)
    equal(len({x["style"] for x in rows} | {"x"}) >= 4, True, "styles")
    varies(rows, "length", 3)
    varies(rows, "persona", 4)
    rough = [x["question"] for x in rows if x["style"] == "misspelt"]
    check(any(not re.match(r"Please what \d+ happened there", q) for q in rough), "misspelt questions are rough", rough[:2])
    return "shares of %d questions to the row: %s; contexts found in chunks of 64, 256, 1024 tokens: %s" % (len(rows), ", ".join("%s %d" % x for x in sorted(count.items())),
           ", ".join("%.2f" % sizes[k]["context_recall"] for k in sorted(sizes)))


TWIN = "# Twin mills\n\n" + " ".join("The %s mill of the twin hills has ground %s since the year of the great %s." % (a, b, c) for a, b, c in
       (("upper", "rye", "flood"), ("lower", "oats", "frost"), ("eastern", "barley", "storm"), ("western", "wheat", "fire")))


def chunk_queries():
    docs = sources.docs_with({"twin_a.md": TWIN, "twin_b.md": TWIN + " Indeed."})
    mock = lib.Mock([{"match": "type into a search engine", "every": 7, "json": '{"queries": ["mill", "who has been asked the same as everybody else here"]}'}, {"regex": "\n([A-Z][^\n]*)", "match": "type into a search engine", "every": 9, "json": '{"queries": ["{{1}}", "x{{n}} zz{{n}}"]}'},
                     {"match": "type into a search engine", "every": 5, "json": '{"queries": ["zzyzx quux {{n}}", "again {{n}} nothing zzyzx"]}'},
                     {"regex": "\n([A-Z][a-z]+) ([a-z]+) ([^\"\n ]+) ([^\"\n ]+) ([^\"\n ]+) ([^\"\n ]+)", "json": '{"queries": ["{{1}} {{3}} {{5}} {{6}} x{{n}}", "x{{n}} {{6}} {{4}} {{1}} {{2}}?"]}'}])
    r = run("chunk_queries", "docs=" + docs, "k=3", writer=mock.url)
    rejects("chunk_queries", "dedup_minhash", "too_short", "copied", "dedup_exact", "no_negative")
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
    strict = run("chunk_queries", "docs=" + sources.docs(), "k=3", "margin=0.1", writer=mock.url).rows()
    check(n_of(strict) < 0.9 * n_of(rows), "a margin of 0.1 leaves out what might be an answer:", n_of(strict), n_of(rows))
    meant = run("chunk_queries", "docs=" + sources.docs(), "k=3", writer=mock.url, encoder=lib.small_encoder()).rows()
    words_of = lambda t: set(re.findall("[a-z0-9]+", t.lower()))
    apart = [n for x in meant for n in x["negatives"] if not words_of(x["query"]) & words_of(n)]
    check(len(meant) >= 20 and apart and all(x["positive"] not in x["negatives"] for x in meant), "with an encoder the meaning decides too", len(meant), len(apart))
    return "%d negatives of %d queries, none their own passage; at a margin of 0.1 %d" % (n_of(rows), len(rows), n_of(strict))


def chain_of_abstraction_qa():
    """The chain leads from question to document to name, over the example articles; the tool that finds names goes by what stands in the passage."""
    hops = [("Who discovered the largest moon of the planet that Johann Galle found?", "William Lassell", "Johann Galle planet found", "planet", "Neptune", "largest moon discovered", "person", "William Lassell"),
            ("In which city was the author of notes on the Analytical Engine born?", "London", "notes Analytical Engine", "person", "Ada Lovelace", "born in", "city", "London")]
    rows, writer, finder = [], [], []
    for question, answer, first, kind_1, name_1, second, kind_2, name_2 in hops:
        rows.append({"question": question, "answer": answer})
        good = "Look up [Search: %s -> y1], take [Name: %s; y1 -> y2], then [Search: y2 %s -> y3] gives [Name: %s; y3 -> y4]." % (first, kind_1, second, kind_2)
        writer += [{"match": question, "nth": 1, "reply": "It is [Name: %s; %s -> y1]." % (kind_1, first)}, {"match": question, "reply": good}]
        finder += [{"regex": "^%s; .*%s" % (kind_1, name_1), "reply": name_1}, {"regex": "^%s; .*%s" % (kind_2, name_2), "reply": " %s " % name_2}]
    rows += [{"question": "Whose gold is written out?", "answer": "Gold"}, {"question": "None?", "answer": "!"}, {"question": "Wrong?", "answer": "right"}, {"question": "Whose gold is it?", "answer": "Gold"}, {"question": "Whose gold is it?", "answer": "Gold"}]
    writer += [{"match": "written out", "reply": "It is gold: [Name: thing; x -> y1]."}, {"match": "Whose gold is it", "reply": "[Name: thing; x -> y1]."}, {"match": "Wrong?", "reply": "[Search: mills -> y1]"}]
    w, f = lib.Mock(writer), lib.Mock(finder + [{"match": "thing; x", "reply": "Gold"}, {"reply": "none"}])
    r = run("chain_of_abstraction_qa", "rows=" + lib.write_rows("coaqa.jsonl", rows), "docs=" + sources.docs(), writer=w.url, finder=f.url)
    got = {x["question"]: x for x in r.rows()}
    equal(set(got), {h[0] for h in hops} | {"Whose gold is it?"}, "chains that end in the gold answer")
    equal(got["Whose gold is it?"]["attempt"], 1, "a right chain is not asked for again")
    for h in hops:
        x = got[h[0]]
        equal((x["attempt"], x["calls"], x["values"]["y2"], x["values"]["y4"]), (2, 4, h[4], h[7]), "asked for again; outputs feed later calls")
        check(h[4] in x["values"]["y3"] and h[7].lower() not in x["chain"].lower(), "the second search was for what the first found", x["values"]["y3"][:80])
    rejects("chain_of_abstraction_qa", "no_answer", "not_the_gold_answer", "answer_written_out", "dedup_exact")
    return "%d of %d chains of searches and names, executed, end in the gold answer; %d rejected" % (len(got), len(got), r.summary["rows"]["rejected"])


TESTS = [toolalpaca, chain_of_abstraction_qa, chain_of_abstraction, e5_embeddings, rag_testset, chunk_queries]
if __name__ == "__main__":
    main(TESTS)
