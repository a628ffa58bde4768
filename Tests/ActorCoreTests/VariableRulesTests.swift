import ActorCore
import Testing

@Suite("variables that senders may set")
struct VariableRulesTests {
    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    static let program = words(
        """
        LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES GLIBC_TUNABLES MALLOC_TRACE GCONV_PATH LOCPATH
        NLSPATH RES_OPTIONS HOSTALIASES TZDIR LOCALDOMAIN PATH HOME SHELL ENV BASH_ENV BASH_FUNC_ls%% BASHOPTS
        SHELLOPTS IFS PS4 PROMPT_COMMAND CDPATH GLOBIGNORE ZDOTDIR FPATH TMPDIR PWD OLDPWD XDG_CONFIG_HOME PYTHONPATH
        PYTHONUSERBASE PYTHONBREAKPOINT PYTHONSTARTUP PYTHON_GIL _PYTHON_SYSCONFIGDATA_NAME PERL5OPT PERL5DB PYTHONHOME
        PYTHONWARNINGS PYTHON_JULIACALL_EXE PERLIO_DEBUG RUBY_CRASH_REPORT PERL5LIB PERLLIB PERL_MB_OPT RUBYOPT RUBYLIB
        RUBY_DEBUG GEM_HOME BUNDLE_GEMFILE NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NPM_CONFIG_PREFIX
        npm_config_script_shell JAVA_TOOL_OPTIONS JAVA_HOME _JAVA_OPTIONS JDK_JAVA_OPTIONS CLASSPATH MAVEN_OPTS
        GRADLE_USER_HOME R_PROFILE R_PROFILE_USER R_LIBS R_LIBS_USER R_LIBS_SITE R_ENVIRON R_ENVIRON_USER R_HOME
        R_TESTS RENV_PATHS_ROOT JULIA_LOAD_PATH LUA_INIT LUA_INIT_5_4 PHPRC PHP_INI_SCAN_DIR TCLLIBPATH TCL_LIBRARY
        DOTNET_STARTUP_HOOKS CORECLR_PROFILER COR_ENABLE_PROFILING COR_PROFILER_PATH COMPlus_EnableDiagnostics
        MONO_PATH GOFLAGS GOPROXY GOTOOLCHAIN CARGO_HOME CARGO_TARGET_X86_64_RUNNER RUSTC_WRAPPER OCAMLRUNPARAM
        GUILE_LOAD_PATH MATLABPATH MATLAB_PREFDIR OCTAVE_PATH CONDA_PREFIX MAMBA_ROOT_PREFIX VIRTUAL_ENV PIP_INDEX_URL
        PIP_CONFIG_FILE UV_INDEX_URL UV_INDEX_LAB_PASSWORD UV_PYTHON JUPYTER_PATH IPYTHONDIR MPLBACKEND MPLCONFIGDIR
        MATPLOTLIBRC NUMBA_CACHE_DIR CC MAKEFLAGS GIT_SSH GIT_SSH_COMMAND GIT_CONFIG GIT_CONFIG_COUNT GIT_CONFIG_KEY_0
        GIT_CONFIG_GLOBAL GIT_EXEC_PATH GIT_DIR GIT_ASKPASS GIT_PAGER GIT_EXTERNAL_DIFF GIT_PROXY_COMMAND
        GIT_SSL_NO_VERIFY GIT_TRACE CURL_HOME WGETRC SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF REQUESTS_CA_BUNDLE EDITOR
        VISUAL PAGER LESS LESSOPEN BROWSER TERMINFO TERMINFO_DIRS TERMCAP MANPAGER DOCKER_CONFIG KUBECONFIG
        AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_WEB_IDENTITY_TOKEN_FILE AWS_CA_BUNDLE AWS_PAGER
        GOOGLE_APPLICATION_CREDENTIALS PGPASSFILE HDF5_PLUGIN_PATH GST_PLUGIN_PATH QT_PLUGIN_PATH GTK_MODULES
        OMPI_MCA_mca_base_component_path PMIX_MCA_mca OPAL_PREFIX SLURM_CONF SLURM_TASK_PROLOG SGE_ROOT
        SINGULARITY_BIND SINGULARITYENV_LD_PRELOAD APPTAINER_BIND MODULEPATH LMOD_CMD _ModuleTable001_
        OMP_TOOL_LIBRARIES CUDA_INJECTION64_PATH TAR_OPTIONS ZIPOPT FFREPORT DBUS_SESSION_BUS_ADDRESS
        fish_function_path
        """)

    static let account = words(
        """
        AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_ROLE_ARN AWS_ENDPOINT_URL
        AWS_ENDPOINT_URL_S3 GITHUB_TOKEN GH_TOKEN GITHUB_API_URL AZURE_CLIENT_SECRET VAULT_ADDR VAULT_TOKEN HF_TOKEN
        PGHOST PGPASSWORD HTTP_PROXY http_proxy Https_Proxy ALL_PROXY no_proxy DOCKER_HOST KUBERNETES_SERVICE_HOST
        SSH_AUTH_SOCK
        """)

    static let house = words(
        """
        _REACTOR_API_KEY _REACTOR_API_URL _REACTOR_TEMP _REACTOR_MESSAGES_RUN REACTORD_ATTEMPT REACTORD_MESSAGE_FILE
        REACTORD_TOKEN LOCALONLY
        """)

    static let free = words(
        """
        PLATE SAMPLE DATA_PATH USER_ID PATHOGEN PATH_TO_DATA HOMEWORK HOME_CAGE RUN RUN_ID R R1 R2 RATE REGION NODES
        GOAL GOAL_ID GO TMPL TERMS TERM_ID TEMPERATURE TEMPLATE SHELLS ENVIRONMENT PERLITE PERL RUBY RUBYRED RUSTIC
        LESSON GEMS GITTER JAVANESE PIPETTE PIPELINE UV UVA QTL CURLING LDL LUAD PHPA TCLASS MONOMER CORTEX AWSOME
        COVERAGE_DEPTH HATCH_RATE AIRFLOW_RATE HYDRA_ID FI_MEAN PBS_VOLUME FLUX_RATE TF_NAME BUN_LEVEL OMP_NUM_THREADS
        path home user env term tmp node_id git_branch python uuid token status event level data x-nonce MSG CE_ID
        GREETING LANG LC_ALL TZ _abaco_synchronous _abaco_username _actor_configs proxy PROXY
        """)

    /// What instruments and CI call their values, though a tool's variables begin like them.
    static let measured = words(
        """
        TEMP TMP USER LOGNAME TERM ZIP NODE_ID NODE_ENV LD_score LD_R2 LD_ID COR_matrix GEM_MODEL GEM_ID UV_DOSE
        UV_INDEX OPAL_ID R_VERSION R_squared GITHUB_SHA GITHUB_REF GITHUB_REPOSITORY GITHUB_RUN_ID GIT_COMMIT
        GIT_BRANCH GIT_URL GIT_AUTHOR_NAME GITLAB_USER_LOGIN SLURM_JOB_ID SLURM_ARRAY_TASK_ID SGE_TASK_ID AWS_REGION
        AWS_DEFAULT_REGION PS1 PYTHON_VERSION JAVA_VERSION NODE_VERSION MATLAB_VERSION DOCKER_IMAGE DOCKER_TAG
        CARGO_PROTEIN MONO_EXPOSURE GST_TAG QT_INTERVAL PIP_LEVEL BUNDLE_ID YARN_COUNT fish_ID d18O_proxy RUST_LOG
        CUDA_VISIBLE_DEVICES JULIA_NUM_THREADS NUMBA_NUM_THREADS HDF5_FILE HDF5_USE_FILE_LOCKING VAULT_ID LSF_RUN UUID
        EVENT JOB_ID APP_ID SESSION x_session x_src_actor_id status
        """)

    @Test("refused to everybody: what would change a program", arguments: program)
    func refuses(name: String) {
        #expect(VariableRules.refusal(of: name, "x", by: .message) == .program)
        #expect(VariableRules.refusal(of: name, "x", by: .owner) == .program)
    }

    @Test("refused to messages: whose credentials, and where they go", arguments: account)
    func keepsAccounts(name: String) {
        #expect(VariableRules.refusal(of: name, "x", by: .message) == .account)
        #expect(VariableRules.refusal(of: name, "x", by: .owner) == nil)
    }

    @Test("refused to messages: what the SDK takes for the house's word", arguments: house)
    func keepsItsOwn(name: String) {
        #expect(VariableRules.refusal(of: name, "x", by: .message) == .house)
        #expect(VariableRules.refusal(of: name, "x", by: .owner) == nil)
    }

    @Test("free: what only tells it something", arguments: free + measured)
    func leaves(name: String) {
        #expect(VariableRules.refusal(of: name, "37", by: .message) == nil)
        #expect(VariableRules.refusal(of: name, "37", by: .owner) == nil)
    }

    @Test(
        "ordinary names that a program reads options from pass without options",
        arguments: [
            ("ZIP", "12345-6789", true), ("ZIP", "K1A 0B1", true), ("ZIP", "a-b.zip", true), ("ZIP", "", true),
            ("ZIP", "-TT sh", false), ("ZIP", "x -TT sh", false), ("ZIP", "\"-TT\" sh", false), ("ZIP", "1 -T", false),
            ("UV_INDEX", "7.5", true), ("UV_INDEX", "11", true), ("UV_INDEX", "https://evil.example/simple", false),
            ("UV_INDEX", "lab=/tmp/x", false),
        ])
    func options(name: String, value: String, isFree: Bool) {
        #expect((VariableRules.refusal(of: name, value, by: .message) == nil) == isFree)
    }

    @Test("every refusal says why", arguments: [VariableRules.Refusal.program, .account, .house])
    func reasons(refusal: VariableRules.Refusal) { #expect(!refusal.reason.isEmpty) }
}
