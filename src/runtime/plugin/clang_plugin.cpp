// Clang, LLVM and lld in this process, for LLVM 16 to 22. Sources come from memory, results go to memory: a compile
// touches no file.
//
// Input is a file of an in-memory file system at an absolute path: as a bare memory buffer Clang would dereference null
// under its own AddressSanitizer pass. lld reads its input through a memfd and writes into a pipe, because it renames
// temporary files otherwise.
#include "clang_plugin.h"

#include <clang/Basic/Diagnostic.h>
#include <clang/Basic/Version.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <lld/Common/CommonLinkerContext.h>
#include <lld/Common/Driver.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>
#if LLVM_VERSION_MAJOR >= 17
#include <llvm/TargetParser/Host.h>
#else
#include <llvm/Support/Host.h>
#endif

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#if LLVM_VERSION_MAJOR >= 17
LLD_HAS_DRIVER(elf)
#endif

namespace {

void write_to(gn_plugin_sink sink, llvm::StringRef text)
{
    if (!text.empty()) sink.write(sink.user, text.data(), text.size());
}

const char *host_triple()
{
    static const std::string *const triple = new std::string(llvm::sys::getProcessTriple()); // stays as the process exits
    return triple->c_str();
}

void initialize_once()
{
    static std::once_flag once;
    std::call_once(once, [] {
        llvm::InitializeNativeTarget();
        llvm::InitializeNativeTargetAsmPrinter();
        llvm::InitializeNativeTargetAsmParser();
    });
}

std::unique_ptr<clang::FrontendAction> action_for(gn_plugin_emit emit)
{
    if (emit == GN_PLUGIN_ASSEMBLY) return std::make_unique<clang::EmitAssemblyAction>();
    if (emit == GN_PLUGIN_IR) return std::make_unique<clang::EmitLLVMAction>();
    return std::make_unique<clang::EmitObjAction>();
}

// The diagnostics of the command line itself; options became a plain value with LLVM 21.
class argument_diagnostics {
public:
    explicit argument_diagnostics(llvm::raw_ostream &out)
#if LLVM_VERSION_MAJOR >= 21
        : printer(out, options), engine(new clang::DiagnosticIDs, options, &printer, false)
#else
      : options(new clang::DiagnosticOptions), printer(out, options.get()),
        engine(new clang::DiagnosticIDs, options, &printer, false)
#endif
    {
    }
    clang::DiagnosticsEngine &get() { return engine; }

private:
#if LLVM_VERSION_MAJOR >= 21
    clang::DiagnosticOptions options;
#else
    llvm::IntrusiveRefCntPtr<clang::DiagnosticOptions> options;
#endif
    clang::TextDiagnosticPrinter printer;
    clang::DiagnosticsEngine engine;
};

void create_diagnostics(clang::CompilerInstance &compiler, llvm::vfs::FileSystem &files, clang::DiagnosticConsumer *client)
{
#if LLVM_VERSION_MAJOR >= 22
    (void)files; // createVirtualFileSystem came before
    compiler.createDiagnostics(client, false);
#elif LLVM_VERSION_MAJOR >= 20
    compiler.createDiagnostics(files, client, false);
#else
    (void)files;
    compiler.createDiagnostics(client, false);
#endif
}

int compile(const char *name, const char *source, size_t size, const char *const *arg, size_t narg, gn_plugin_emit emit,
            gn_plugin_sink out, gn_plugin_sink diagnostics)
{
    initialize_once();
    std::string words;
    llvm::raw_string_ostream stream(words);
    const std::string path = std::string("/gnomon/") + name + ".c";
    llvm::SmallVector<const char *, 64> args(arg, arg + narg);
    args.push_back(path.c_str());

    auto invocation = std::make_shared<clang::CompilerInvocation>();
    argument_diagnostics early(stream);
    if (!clang::CompilerInvocation::CreateFromArgs(*invocation, args, early.get())) {
        write_to(diagnostics, stream.str());
        return 1;
    }
    llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> memory(new llvm::vfs::InMemoryFileSystem);
    memory->addFile(path, 0, llvm::MemoryBuffer::getMemBuffer(llvm::StringRef(source, size), path));
    llvm::IntrusiveRefCntPtr<llvm::vfs::OverlayFileSystem> files(
        new llvm::vfs::OverlayFileSystem(llvm::vfs::getRealFileSystem()));
    files->pushOverlay(memory);

#if LLVM_VERSION_MAJOR >= 21
    clang::CompilerInstance compiler(invocation);
    clang::TextDiagnosticPrinter printer(stream, compiler.getDiagnosticOpts());
#else
    clang::CompilerInstance compiler;
    compiler.setInvocation(invocation);
    clang::TextDiagnosticPrinter printer(stream, &compiler.getDiagnosticOpts());
#endif
#if LLVM_VERSION_MAJOR >= 22
    compiler.createVirtualFileSystem(files, &printer);
    create_diagnostics(compiler, *files, &printer);
    compiler.createFileManager();
#else
    create_diagnostics(compiler, *files, &printer);
    compiler.createFileManager(files);
#endif
    compiler.setVerboseOutputStream(std::make_unique<llvm::raw_null_ostream>()); // "1 error generated." would go to stderr
    llvm::SmallString<0> result;
    compiler.setOutputStream(std::make_unique<llvm::raw_svector_ostream>(result));

    const std::unique_ptr<clang::FrontendAction> action = action_for(emit);
    const bool good = compiler.ExecuteAction(*action) && !compiler.getDiagnostics().hasErrorOccurred();
    write_to(diagnostics, stream.str());
    if (!good) return 1;
    write_to(out, result);
    return 0;
}

// A file that exists in memory only; lld opens it as /proc/self/fd/N.
class memory_file {
public:
    memory_file(const void *data, size_t size) : fd(memfd_create("gnomon-object", MFD_CLOEXEC))
    {
        const char *p = static_cast<const char *>(data);
        for (size_t done = 0; fd >= 0 && done < size;) {
            const ssize_t n = write(fd, p + done, size - done);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) {
                close(fd);
                fd = -1;
                return;
            }
            done += static_cast<size_t>(n);
        }
    }
    ~memory_file()
    {
        if (fd >= 0) close(fd);
    }
    memory_file(const memory_file &) = delete;
    memory_file &operator=(const memory_file &) = delete;
    int fd;
};

// Collects what is written into a pipe until the writer is closed.
class pipe_reader {
public:
    pipe_reader()
    {
        pthread_attr_t attr;
        if (pipe2(ends, O_CLOEXEC)) ends[0] = ends[1] = -1;
        if (ends[0] < 0 || pthread_attr_init(&attr)) return;
        // The default may be as small as the caller's limit on stacks.
        is_running = !pthread_attr_setstacksize(&attr, 1 << 20) && !pthread_create(&reader, &attr, read_all, this);
        pthread_attr_destroy(&attr);
    }
    ~pipe_reader()
    {
        finish();
        if (ends[0] >= 0) close(ends[0]);
    }
    pipe_reader(const pipe_reader &) = delete;
    pipe_reader &operator=(const pipe_reader &) = delete;
    int writer() const { return is_running ? ends[1] : -1; }
    const std::string &finish()
    {
        if (ends[1] >= 0) close(ends[1]);
        ends[1] = -1;
        if (is_running) pthread_join(reader, nullptr);
        is_running = false;
        return bytes;
    }

private:
    static void *read_all(void *arg)
    {
        pipe_reader *self = static_cast<pipe_reader *>(arg);
        char chunk[1 << 16];
        for (;;) {
            const ssize_t n = read(self->ends[0], chunk, sizeof chunk);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return nullptr;
            self->bytes.append(chunk, static_cast<size_t>(n));
        }
    }
    int ends[2] = { -1, -1 };
    pthread_t reader;
    bool is_running = false;
    std::string bytes;
};

int link_objects(size_t n, const void *const *object, const size_t *size, int allow_undefined, gn_plugin_sink out,
                 gn_plugin_sink diagnostics)
{
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    pipe_reader output;
    std::vector<std::unique_ptr<memory_file>> input;
    std::vector<std::string> from;
    bool ready = output.writer() >= 0;
    for (size_t i = 0; ready && i < n; i++) {
        input.push_back(std::make_unique<memory_file>(object[i], size[i]));
        ready = input[i]->fd >= 0;
        from.push_back("/proc/self/fd/" + std::to_string(input[i]->fd));
    }
    if (!ready) {
        write_to(diagnostics, std::string("lld: no memory file or pipe: ") + std::strerror(errno));
        return 1;
    }
    const std::string to = "/proc/self/fd/" + std::to_string(output.writer());
    std::string words;
    llvm::raw_string_ostream stream(words);
    llvm::SmallVector<const char *, 24> args = { "ld.lld",
                                                 "-shared",
                                                 "-nostdlib",
                                                 "-Bsymbolic",
                                                 "--build-id=none",
                                                 "--hash-style=gnu",
                                                 "-z",
                                                 "noexecstack",
                                                 "--threads=1",
                                                 "--no-mmap-output-file",
                                                 "-o",
                                                 to.c_str() };
    for (const std::string &path : from) args.push_back(path.c_str());
    if (!allow_undefined) args.append({ "-z", "defs" });
    const bool good = lld::elf::link(args, stream, stream, false, false);
    lld::CommonLinkerContext::destroy();
    const std::string &bytes = output.finish();
    write_to(diagnostics, stream.str());
    if (!good || bytes.empty()) return 1;
    write_to(out, bytes);
    return 0;
}

int abi() { return GN_PLUGIN_ABI; }
const char *version() { return LLVM_VERSION_STRING; }

} // namespace

extern "C" __attribute__((visibility("default"))) const gn_plugin *gn_clang_plugin(void)
{
    static const gn_plugin functions = { abi, version, host_triple, compile, link_objects };
    return &functions;
}
