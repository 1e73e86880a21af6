/* (kernel flash (syms B T (D :is 64))
 *   (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))
 *   (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))
 *   (def kt (h c2 j2) (load Kx h j2 c2))
 *   (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j))))
 *   (def sv (h i j) (mul 0.125 (s h i j)))
 *   (def m (h i) (max (j) (sv h i j)))
 *   (def p (h i j) (exp (sub (sv h i j) (m h i))))
 *   (def l (h i) (sum (j) (p h i j)))
 *   (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e))))
 *   (store set O (h i e) (div (o h i e) (l h i)))) */
void flash_0(void *const *arg, const int64_t *sym, int64_t part)
{
    const float *const Q = (const float *)arg[0];
    const float *const Kx = (const float *)arg[1];
    const float *const V = (const float *)arg[2];
    float *const O = (float *)arg[3];
    float *const kt = (float *)arg[4];
    const int64_t T = sym[1];
    const int64_t h = part;
    for (int64_t jp = 0; jp < (T + 31)/32; jp++) {
        for (int64_t c0 = 0; c0 < 4; c0++) {
            gn_tr16_f32(kt + 512*c0 + 2048*jp, 32, Kx + 64*T*h + 16*c0 + 2048*jp, 64, 16, T - 32*jp);
            gn_tr16_f32(kt + 512*c0 + 2048*jp + 16, 32, Kx + 64*T*h + 16*c0 + 2048*jp + 1024, 64, 16, T - 32*jp - 16);
        }
    }
    for (int64_t ir = 0; ir < (T + 1)/2; ir++) {
        float m_0, m_1;
        float m_c_0, m_c_1;
        float l_0, l_1;
        gn_f32x16 l_a_0, l_a_1;
        gn_f32x16 o_0_0, o_0_1, o_0_2, o_0_3, o_1_0, o_1_1, o_1_2, o_1_3;
        m_0 = (-GN_INF_F32);
        m_1 = (-GN_INF_F32);
        l_a_0 = gn_splat_f32x16(0.0f);
        l_a_1 = gn_splat_f32x16(0.0f);
        o_0_0 = gn_splat_f32x16(0.0f);
        o_0_1 = gn_splat_f32x16(0.0f);
        o_0_2 = gn_splat_f32x16(0.0f);
        o_0_3 = gn_splat_f32x16(0.0f);
        o_1_0 = gn_splat_f32x16(0.0f);
        o_1_1 = gn_splat_f32x16(0.0f);
        o_1_2 = gn_splat_f32x16(0.0f);
        o_1_3 = gn_splat_f32x16(0.0f);
        for (int64_t j0 = 0; j0 < ir/16; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s1 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_f32x16 v2 = gn_load_f32x16(kt + 32*c + 2048*j0);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s1), v2, s_0_0);
                const gn_f32x16 v4 = gn_load_f32x16(kt + 32*c + 2048*j0 + 16);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s1), v4, s_0_1);
                const float s6 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s6), v2, s_1_0);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s6), v4, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_1 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_0);
            mb_a_0 = gn_max_f32x16(mb_a_0, sv_0_1);
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_0);
            mb_a_1 = gn_max_f32x16(mb_a_1, sv_1_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s19 = m_0;
            const float s20 = gn_max_f32(s19, mb_0);
            m_0 = s20;
            const float s21 = gn_max_f32(s20, (-3.4028235e+38f));
            const float s22 = s19 - s21;
            m_c_0 = gn_exp_f32(s22);
            const float s24 = m_1;
            const float s25 = gn_max_f32(s24, mb_1);
            m_1 = s25;
            const float s26 = gn_max_f32(s25, (-3.4028235e+38f));
            const float s27 = s24 - s26;
            m_c_1 = gn_exp_f32(s27);
            const float s29 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v30 = sv_0_0 - gn_splat_f32x16(s29);
            const gn_f32x16 v31 = gn_exp_f32x16(v30);
            const _Bool s32 = 2*ir < T;
            const gn_f32x16 v33 = s32 ? v31 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v33);
            const gn_f32x16 v34 = sv_0_1 - gn_splat_f32x16(s29);
            const gn_f32x16 v35 = gn_exp_f32x16(v34);
            const gn_f32x16 v36 = s32 ? v35 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v36);
            const float s37 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v38 = sv_1_0 - gn_splat_f32x16(s37);
            const gn_f32x16 v39 = gn_exp_f32x16(v38);
            const _Bool s40 = 2*ir + 1 < T;
            const gn_f32x16 v41 = s40 ? v39 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v41);
            const gn_f32x16 v42 = sv_1_1 - gn_splat_f32x16(s37);
            const gn_f32x16 v43 = gn_exp_f32x16(v42);
            const gn_f32x16 v44 = s40 ? v43 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v44);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            l_a_0 = l_a_0 + v33;
            l_a_0 = l_a_0 + v36;
            l_a_1 = l_a_1 + v41;
            l_a_1 = l_a_1 + v44;
            o_0_0 = o_0_0 * gn_splat_f32x16(m_c_0);
            o_0_1 = o_0_1 * gn_splat_f32x16(m_c_0);
            o_0_2 = o_0_2 * gn_splat_f32x16(m_c_0);
            o_0_3 = o_0_3 * gn_splat_f32x16(m_c_0);
            o_1_0 = o_1_0 * gn_splat_f32x16(m_c_1);
            o_1_1 = o_1_1 * gn_splat_f32x16(m_c_1);
            o_1_2 = o_1_2 * gn_splat_f32x16(m_c_1);
            o_1_3 = o_1_3 * gn_splat_f32x16(m_c_1);
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < 32; jq++) {
                const float s59 = p[jq];
                const gn_f32x16 v60 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s59), v60, o_0_0);
                const gn_f32x16 v62 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s59), v62, o_0_1);
                const gn_f32x16 v64 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s59), v64, o_0_2);
                const gn_f32x16 v66 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s59), v66, o_0_3);
                const float s68 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s68), v60, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s68), v62, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s68), v64, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s68), v66, o_1_3);
            }
        }
        for (int64_t j0 = ir/16; j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1; j0++) {
            gn_f32x16 s_0_0, s_0_1, s_1_0, s_1_1;
            gn_f32x16 sv_0_0, sv_0_1, sv_1_0, sv_1_1;
            float mb_0, mb_1;
            gn_f32x16 mb_a_0, mb_a_1;
            _Alignas(64) float p[64];
            s_0_0 = gn_splat_f32x16(0.0f);
            s_0_1 = gn_splat_f32x16(0.0f);
            s_1_0 = gn_splat_f32x16(0.0f);
            s_1_1 = gn_splat_f32x16(0.0f);
            GN_UNROLL(4)
            for (int64_t c = 0; c < 64; c++) {
                const float s73 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir)];
                const gn_b16 m74 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
                const gn_f32x16 v75 = gn_loadm_f32x16(kt + 32*c + 2048*j0, m74);
                s_0_0 = gn_fma_f32x16(gn_splat_f32x16(s73), v75, s_0_0);
                const gn_b16 m77 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
                const gn_f32x16 v78 = gn_loadm_f32x16(kt + 32*c + 2048*j0 + 16, m77);
                s_0_1 = gn_fma_f32x16(gn_splat_f32x16(s73), v78, s_0_1);
                const float s80 = Q[64*T*h + c + 64*gn_min_i64(T - 1, 2*ir + 1)];
                const gn_b16 m81 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
                const gn_f32x16 v82 = gn_loadm_f32x16(kt + 32*c + 2048*j0, m81);
                s_1_0 = gn_fma_f32x16(gn_splat_f32x16(s80), v82, s_1_0);
                const gn_b16 m84 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
                const gn_f32x16 v85 = gn_loadm_f32x16(kt + 32*c + 2048*j0 + 16, m84);
                s_1_1 = gn_fma_f32x16(gn_splat_f32x16(s80), v85, s_1_1);
            }
            sv_0_0 = gn_splat_f32x16(0.125f) * s_0_0;
            sv_0_1 = gn_splat_f32x16(0.125f) * s_0_1;
            sv_1_0 = gn_splat_f32x16(0.125f) * s_1_0;
            sv_1_1 = gn_splat_f32x16(0.125f) * s_1_1;
            mb_a_0 = gn_splat_f32x16((-GN_INF_F32));
            mb_a_1 = gn_splat_f32x16((-GN_INF_F32));
            const gn_f32x16 v91 = gn_max_f32x16(mb_a_0, sv_0_0);
            const gn_b16 m92 = gn_below_b16(gn_min_i64(T - 1, 2*ir) + 1 - 32*j0);
            mb_a_0 = gn_sel_f32x16(m92, v91, mb_a_0);
            const gn_f32x16 v94 = gn_max_f32x16(mb_a_0, sv_0_1);
            const gn_b16 m95 = gn_below_b16(gn_min_i64(T - 1, 2*ir) - 32*j0 - 15);
            mb_a_0 = gn_sel_f32x16(m95, v94, mb_a_0);
            const gn_f32x16 v97 = gn_max_f32x16(mb_a_1, sv_1_0);
            const gn_b16 m98 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0);
            mb_a_1 = gn_sel_f32x16(m98, v97, mb_a_1);
            const gn_f32x16 v100 = gn_max_f32x16(mb_a_1, sv_1_1);
            const gn_b16 m101 = gn_below_b16(gn_min_i64(T - 1, 2*ir + 1) - 32*j0 - 15);
            mb_a_1 = gn_sel_f32x16(m101, v100, mb_a_1);
            mb_0 = gn_hmax_f32x16(mb_a_0);
            mb_1 = gn_hmax_f32x16(mb_a_1);
            const float s105 = m_0;
            const float s106 = gn_max_f32(s105, mb_0);
            const _Bool s107 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir), 32) + 1;
            const float s108 = s107 ? s106 : s105;
            m_0 = s108;
            const float s109 = gn_max_f32(s108, (-3.4028235e+38f));
            const float s110 = s105 - s109;
            m_c_0 = gn_exp_f32(s110);
            const float s112 = m_1;
            const float s113 = gn_max_f32(s112, mb_1);
            const _Bool s114 = j0 < gn_div_i64(gn_min_i64(T - 1, 2*ir + 1), 32) + 1;
            const float s115 = s114 ? s113 : s112;
            m_1 = s115;
            const float s116 = gn_max_f32(s115, (-3.4028235e+38f));
            const float s117 = s112 - s116;
            m_c_1 = gn_exp_f32(s117);
            const float s119 = gn_max_f32(m_0, (-3.4028235e+38f));
            const gn_f32x16 v120 = sv_0_0 - gn_splat_f32x16(s119);
            const gn_f32x16 v121 = gn_exp_f32x16(v120);
            const gn_f32x16 v122 = gn_sel_f32x16(m92, v121, gn_splat_f32x16(0.0f));
            const _Bool s123 = 2*ir < T;
            const gn_f32x16 v124 = s123 ? v122 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p, v124);
            const gn_f32x16 v125 = sv_0_1 - gn_splat_f32x16(s119);
            const gn_f32x16 v126 = gn_exp_f32x16(v125);
            const gn_f32x16 v127 = gn_sel_f32x16(m95, v126, gn_splat_f32x16(0.0f));
            const gn_f32x16 v128 = s123 ? v127 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 16, v128);
            const float s129 = gn_max_f32(m_1, (-3.4028235e+38f));
            const gn_f32x16 v130 = sv_1_0 - gn_splat_f32x16(s129);
            const gn_f32x16 v131 = gn_exp_f32x16(v130);
            const gn_f32x16 v132 = gn_sel_f32x16(m98, v131, gn_splat_f32x16(0.0f));
            const _Bool s133 = 2*ir + 1 < T;
            const gn_f32x16 v134 = s133 ? v132 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 32, v134);
            const gn_f32x16 v135 = sv_1_1 - gn_splat_f32x16(s129);
            const gn_f32x16 v136 = gn_exp_f32x16(v135);
            const gn_f32x16 v137 = gn_sel_f32x16(m101, v136, gn_splat_f32x16(0.0f));
            const gn_f32x16 v138 = s133 ? v137 : gn_splat_f32x16(0.0f);
            gn_store_f32x16(p + 48, v138);
            l_a_0 = l_a_0 * gn_splat_f32x16(m_c_0);
            l_a_1 = l_a_1 * gn_splat_f32x16(m_c_1);
            const gn_f32x16 v141 = l_a_0 + v124;
            l_a_0 = gn_sel_f32x16(m92, v141, l_a_0);
            const gn_f32x16 v143 = l_a_0 + v128;
            l_a_0 = gn_sel_f32x16(m95, v143, l_a_0);
            const gn_f32x16 v145 = l_a_1 + v134;
            l_a_1 = gn_sel_f32x16(m98, v145, l_a_1);
            const gn_f32x16 v147 = l_a_1 + v138;
            l_a_1 = gn_sel_f32x16(m101, v147, l_a_1);
            o_0_0 = o_0_0 * gn_splat_f32x16(m_c_0);
            o_0_1 = o_0_1 * gn_splat_f32x16(m_c_0);
            o_0_2 = o_0_2 * gn_splat_f32x16(m_c_0);
            o_0_3 = o_0_3 * gn_splat_f32x16(m_c_0);
            o_1_0 = o_1_0 * gn_splat_f32x16(m_c_1);
            o_1_1 = o_1_1 * gn_splat_f32x16(m_c_1);
            o_1_2 = o_1_2 * gn_splat_f32x16(m_c_1);
            o_1_3 = o_1_3 * gn_splat_f32x16(m_c_1);
            GN_UNROLL(4)
            for (int64_t jq = 0; jq < gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq++) {
                const float s157 = p[jq];
                const gn_f32x16 v158 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq);
                o_0_0 = gn_fma_f32x16(gn_splat_f32x16(s157), v158, o_0_0);
                const gn_f32x16 v160 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 16);
                o_0_1 = gn_fma_f32x16(gn_splat_f32x16(s157), v160, o_0_1);
                const gn_f32x16 v162 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 32);
                o_0_2 = gn_fma_f32x16(gn_splat_f32x16(s157), v162, o_0_2);
                const gn_f32x16 v164 = gn_load_f32x16(V + 64*T*h + 2048*j0 + 64*jq + 48);
                o_0_3 = gn_fma_f32x16(gn_splat_f32x16(s157), v164, o_0_3);
                const float s166 = p[jq + 32];
                o_1_0 = gn_fma_f32x16(gn_splat_f32x16(s166), v158, o_1_0);
                o_1_1 = gn_fma_f32x16(gn_splat_f32x16(s166), v160, o_1_1);
                o_1_2 = gn_fma_f32x16(gn_splat_f32x16(s166), v162, o_1_2);
                o_1_3 = gn_fma_f32x16(gn_splat_f32x16(s166), v164, o_1_3);
            }
            GN_UNROLL(4)
            for (int64_t jq = gn_max_i64(0, gn_min_i64(2*ir + 1 - 32*j0, 32)); jq < gn_min_i64(gn_min_i64(T - 1, 2*ir + 1) + 1 - 32*j0, 32); jq++) {
                const float s171 = p[jq];
                const gn_f32x16 v172 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))));
                const gn_f32x16 v173 = gn_fma_f32x16(gn_splat_f32x16(s171), v172, o_0_0);
                const _Bool s174 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir) + 1;
                o_0_0 = s174 ? v173 : o_0_0;
                const gn_f32x16 v176 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 16);
                const gn_f32x16 v177 = gn_fma_f32x16(gn_splat_f32x16(s171), v176, o_0_1);
                o_0_1 = s174 ? v177 : o_0_1;
                const gn_f32x16 v179 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 32);
                const gn_f32x16 v180 = gn_fma_f32x16(gn_splat_f32x16(s171), v179, o_0_2);
                o_0_2 = s174 ? v180 : o_0_2;
                const gn_f32x16 v182 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir, 32*j0 + jq))) + 48);
                const gn_f32x16 v183 = gn_fma_f32x16(gn_splat_f32x16(s171), v182, o_0_3);
                o_0_3 = s174 ? v183 : o_0_3;
                const float s185 = p[jq + 32];
                const gn_f32x16 v186 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))));
                const gn_f32x16 v187 = gn_fma_f32x16(gn_splat_f32x16(s185), v186, o_1_0);
                const _Bool s188 = 32*j0 + jq < gn_min_i64(T - 1, 2*ir + 1) + 1;
                o_1_0 = s188 ? v187 : o_1_0;
                const gn_f32x16 v190 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 16);
                const gn_f32x16 v191 = gn_fma_f32x16(gn_splat_f32x16(s185), v190, o_1_1);
                o_1_1 = s188 ? v191 : o_1_1;
                const gn_f32x16 v193 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 32);
                const gn_f32x16 v194 = gn_fma_f32x16(gn_splat_f32x16(s185), v193, o_1_2);
                o_1_2 = s188 ? v194 : o_1_2;
                const gn_f32x16 v196 = gn_load_f32x16(V + 64*T*h + 64*gn_max_i64(0, gn_min_i64(T - 1, gn_min_i64(2*ir + 1, 32*j0 + jq))) + 48);
                const gn_f32x16 v197 = gn_fma_f32x16(gn_splat_f32x16(s185), v196, o_1_3);
                o_1_3 = s188 ? v197 : o_1_3;
            }
        }
        l_0 = gn_hsum_f32x16(l_a_0);
        l_1 = gn_hsum_f32x16(l_a_1);
        const gn_f32x16 v201 = o_0_0 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir, v201);
        const gn_f32x16 v202 = o_0_1 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 16, v202);
        const gn_f32x16 v203 = o_0_2 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 32, v203);
        const gn_f32x16 v204 = o_0_3 / gn_splat_f32x16(l_0);
        if (2*ir < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 48, v204);
        const gn_f32x16 v205 = o_1_0 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 64, v205);
        const gn_f32x16 v206 = o_1_1 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 80, v206);
        const gn_f32x16 v207 = o_1_2 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 96, v207);
        const gn_f32x16 v208 = o_1_3 / gn_splat_f32x16(l_1);
        if (2*ir + 1 < T)
            gn_store_f32x16(O + 64*T*h + 128*ir + 112, v208);
    }
}
