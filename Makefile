# quern. `make demo` sets up, builds and runs the main job; `make test` runs the tests; `make help` lists the rest.
# One build: sources by wildcard, tables by file name. SAN=address,undefined or SAN=thread builds beside, in build-<san>/.
CC      ?= gcc
CLANG   ?= clang-14
OPT     ?= $(if $(SAN),-O1,-O2)
comma   := ,
B       := $(if $(SAN),build-$(subst $(comma),-,$(SAN)),build)
MULTI   := $(shell $(CC) -print-multiarch 2>/dev/null)
YYJSON  := deps/yyjson/usr
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

CFLAGS  += -std=gnu17 $(OPT) -g -fPIC -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Wshadow -Isrc -Iinclude -I$(B)/gen \
           $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
LDFLAGS += $(if $(SAN),-fsanitize=$(SAN))
ifneq ($(wildcard $(YYJSON)/include/yyjson.h),)
CFLAGS  += -isystem $(YYJSON)/include
LIBS    += -L$(YYJSON)/lib/$(MULTI) -Wl,-rpath,'$$ORIGIN/../lib/quern' -Wl,-rpath,'$$ORIGIN/../$(YYJSON)/lib/$(MULTI)' -Wl,-rpath,'$$ORIGIN/../../$(YYJSON)/lib/$(MULTI)'
endif
CFLAGS  += -isystem /usr/include/libxml2
LIBS    += -lyyjson -lcurl -lsqlite3 -lyaml -lzstd -lxxhash -lm -lpthread -ldl

SRC     := $(sort $(shell find src -name '*.c' ! -path 'src/cli/main.c'))
OBJ     := $(SRC:src/%.c=$(B)/obj/%.o) $(B)/obj/tables.o
TESTS   := $(sort $(wildcard tests/unit/test_*.c))
FUZZ    := $(sort $(wildcard tests/fuzz/fuzz_*.c))
TESTBIN := $(TESTS:tests/unit/%.c=$(B)/tests/%) $(FUZZ:tests/fuzz/%.c=$(B)/tests/%) $(B)/tests/mock

.PHONY: all demo test test-all test-llama setup install clean help rooms link-flags docs parity golden-accept
all: $(B)/quern

$(B)/quern: $(B)/obj/cli/main.o $(B)/libquern.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(B)/libquern.a $(LIBS)

$(B)/libquern.a: $(OBJ)
	@rm -f $@
	@ar rcs $@ $^

$(B)/obj/%.o: src/%.c | $(B)/gen/embed.h
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# The tables of operators, formats and commands come from the file names alone; recipes and pages are embedded as bytes.
$(B)/gen/tables.c: tools/tables.sh $(SRC)
	@mkdir -p $(@D)
	@tools/tables.sh >$@.new && (cmp -s $@.new $@ || mv $@.new $@; rm -f $@.new; touch $@)
$(B)/gen/embed.h: tools/embed.py $(wildcard recipes/*.yaml src/serve/ui/* src/report/*.html src/report/*.css src/report/*.js)
	@mkdir -p $(@D)
	@python3 tools/embed.py >$@.new && mv $@.new $@
$(B)/obj/tables.o: $(B)/gen/tables.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/tests/%: tests/unit/%.c $(B)/libquern.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP $(LDFLAGS) -o $@ $< $(B)/libquern.a $(LIBS) -lcmocka

# The public API's test sees the public header and nothing else.
$(B)/tests/test_api: private CFLAGS := -std=c17 -g -O1 -Wall -Wextra -Wpedantic -Wshadow -Iinclude $(if $(SAN),-fsanitize=$(SAN))

# Fuzz targets replay their corpus in `make test`; `make fuzz-NAME` runs libFuzzer on one for a minute (clang).
$(B)/tests/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(B)/libquern.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP $(LDFLAGS) -o $@ $< tests/fuzz/replay.c $(B)/libquern.a $(LIBS)
fuzz-%:
	CFLAGS=-fsanitize=fuzzer-no-link,address,undefined LDFLAGS=-fsanitize=address,undefined $(MAKE) CC=$(CLANG) OPT=-O1 B=build-fuzz build-fuzz/libquern.a
	$(CLANG) -std=gnu17 -g -O1 -D_GNU_SOURCE -Isrc -Itests -Ibuild-fuzz/gen -isystem $(YYJSON)/include -fsanitize=fuzzer,address,undefined \
	    -o build-fuzz/fuzz_$* tests/fuzz/fuzz_$*.c build-fuzz/libquern.a $(LIBS)
	mkdir -p build-fuzz/corpus/$* && build-fuzz/fuzz_$* -max_total_time=60 -rss_limit_mb=4096 build-fuzz/corpus/$* tests/fuzz/corpus/$*

# The scriptable model server that tests and benchmarks talk to.
$(B)/tests/mock: $(wildcard tests/mock/*.c tests/mock/*.h) $(B)/libquern.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -Itests/mock $(LDFLAGS) -o $@ $(filter %.c,$^) $(B)/libquern.a $(LIBS)

$(B)/bench/%: bench/%.c $(B)/libquern.a
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(B)/libquern.a $(LIBS)

setup:
	tools/setup.sh build

PREFIX ?= /usr/local
install: all ; @tools/install.sh $(B) $(PREFIX) $(DESTDIR)

demo: setup
	@$(MAKE) --no-print-directory -j"$$(nproc)" all
	tools/demo.sh

test: ; @tools/setup.sh test && $(MAKE) --no-print-directory -j"$$(nproc)" all $(TESTBIN) && tests/run $(B) quick $(T)
test-all: ; @tools/setup.sh test && $(MAKE) --no-print-directory -j"$$(nproc)" all $(TESTBIN) && tests/run $(B) all $(T)
test-bins: all $(TESTBIN)
test-llama: all ; tools/test_llama.sh $(B)

# writes tests/data/nn, checks it, loads back what quern wrote.
parity: $(B)/tests/test_nn_parity ; @tools/setup.sh parity && deps/parity-nn/bin/python tools/parity.py && $<

bench-safety: all ; python3 bench/bench_safety.py
bench-mill: all $(B)/tests/mock ; python3 bench/bench_mill.py
bench-chat: all $(B)/tests/mock ; python3 bench/bench_chat.py
bench-rows: all ; python3 bench/bench_rows.py
bench-curation: all $(B)/bench/bench_novel $(B)/bench/bench_gopher ; python3 bench/bench_curation.py $(if $(GB),--gb $(GB)) $(if $(ONLY_GB),--only-gb)
bench-nn: all $(B)/bench/bench_peak $(B)/bench/bench_embed $(B)/bench/bench_train $(B)/bench/bench_bpe
	tools/setup.sh parity; tools/setup.sh minilm; tools/setup.sh llama; python3 bench/bench_nn.py
# Hours on two cores; SIZE=medium or SIZE=short take less. Writes docs/results.md from the runs' outputs.
experiments: all ; tools/setup.sh minilm; tools/experiments.py --size $(or $(SIZE),full) --results docs/results.md
rooms: ; tools/rooms.sh
link-flags: ; @echo $(LDFLAGS) $(B)/libquern.a $(LIBS)      # what a program that uses include/quern.h is linked with
docs: all ; tools/docs.sh $(B)/quern
.PHONY: systems rows experiments
systems: all $(B)/tests/mock ; tools/systems.py $(T)
# A row of each recipe and what it took, from the files in examples/, for the recipes' pages: `make docs` puts them there.
rows: all $(B)/tests/mock ; tools/systems.py --rows
golden-accept: all ; tests/golden/run $(B)/quern --accept
clean: ; rm -rf build build-*

help: ; @sed -n 's/^# //p' Makefile | head -2; echo 'targets: all install demo test test-all systems docs parity rooms golden-accept clean'

-include $(shell find $(B)/obj $(B)/tests -name '*.d' 2>/dev/null)
